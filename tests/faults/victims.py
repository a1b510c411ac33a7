"""Who is killed next, and the killing. A deck keeps the shares equal; the seed decides the order and the pauses."""

import asyncio
import os
import random
import re
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from linstock import names
from tests.faults.system import System

RELAY = "relay"
VICTIMS = (*names.SERVICES, RELAY, "nats", "postgres")
COMES_BACK_WITHIN_S = 30.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 4.2
LOOK_EVERY_S = 0.02


class NeverCameBack(Exception):
    """A killed process was not started again in time."""


def deck(seed: int, victims: Sequence[str] = VICTIMS) -> Iterator[tuple[str, float]]:
    """Victims and the pause after each, without end."""
    chance = random.Random(seed)
    while True:
        cards = list(victims)
        chance.shuffle(cards)
        for card in cards:
            yield card, chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)


class Killer:
    """kill -9, counted. A victim that is down is waited for: what is dead cannot be killed."""

    def __init__(self, system: System, seed: int, *, logs: Sequence[str] = names.LOGS) -> None:
        """`logs` are those whose relay is killed."""
        self._system = system
        self._logs = logs
        self._chance = random.Random(seed + 1)
        self.kills: Counter[str] = Counter()
        self.pids: set[int] = set()

    async def kill(self, victim: str) -> str:
        """The process that was killed. Raises NeverCameBack."""
        until = time.monotonic() + COMES_BACK_WITHIN_S
        while time.monotonic() < until:
            name = await asyncio.to_thread(self._find, victim)
            pid = self._system.pids().get(name) if name else None
            if name is not None and pid is not None and _lives(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it died since the state was written
                else:
                    self.kills[victim] += 1
                    self.pids.add(pid)
                    self._note(f"{name} (pid {pid}) for {victim}")
                    return name
            await asyncio.sleep(LOOK_EVERY_S)
        raise NeverCameBack(f"{NeverCameBack.__doc__} {victim}")

    def _note(self, what: str) -> None:
        """Beside the system's own log, for whoever looks for the reason of a miss."""
        with (self._system.home / "kills.log").open("a") as file:
            file.write(f"{datetime.now(UTC):%H:%M:%S.%f} {what}\n")

    def _find(self, victim: str) -> str | None:
        if victim == RELAY:
            return self._active_relay(self._chance.choice(self._logs))
        same = [name for name in self._system.pids() if _service(name) == victim]
        return self._chance.choice(sorted(same)) if same else None

    def _active_relay(self, log: str) -> str | None:
        """The process that holds the log's relay lock, as its own metrics say."""
        wanted = f'linstock_relay_active{{log="{log}"}} 1.0'
        for name, service in self._system.state.services.items():
            if _service(name) != log or service.pid is None:
                continue
            try:
                with urllib.request.urlopen(f"{service.probe}/metrics", timeout=1) as answer:
                    if wanted in answer.read().decode():
                        return name
            except OSError:
                continue
        return None


def _service(name: str) -> str:
    """Without the number of a replica."""
    return re.sub(r"-\d+$", "", name)


def _lives(pid: int) -> bool:
    """False for a zombie too: killing that would count for nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
