"""Jobs of an application while everything is killed: asked for under idempotency keys, run by three workers, each with
an effect that must happen once."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from linstock import Client, names
from linstock.messages.asked import JobTold
from tests.faults import jobs_app, oracles, verdict
from tests.faults.asking import Asking
from tests.faults.crew import WORKER, pid_of, staffed
from tests.faults.history import History
from tests.faults.report import Count, print_table, progress
from tests.faults.victims import RELAY, Killer, deck

VICTIMS = (WORKER, WORKER, WORKER, names.SCHEDULER, names.SCHEDULER, RELAY, "nats", "postgres")
"""Workers most often: theirs are the attempts."""
REPLICAS = (names.SCHEDULER,)
TELL_EVERY = 10
ENDED_WITHIN_S = 180.0


class Effects(Struct, frozen=True):
    """What workers wrote down, whatever became of them."""

    runs: list[tuple[UUID, int]]
    keys: set[UUID]
    met_again: int


async def run(home: Path, *, seed: int, kills: int, jobs: int) -> bool:
    home.mkdir(parents=True, exist_ok=True)
    effects = home / "effects.db"
    began = time.monotonic()
    settings = {jobs_app.EFFECTS: str(effects)}
    with staffed(home, jobs_app.__name__, replicas=REPLICAS, settings=settings) as system:
        progress(f"up in {time.monotonic() - began:.1f} s, data in {home}")
        nats = system.state.nats
        assert nats
        async with Client(nats.url) as client:
            asking = Asking(client, seed=seed, jobs=jobs)
            killer = Killer(system, seed, logs=(names.SCHEDULER,))
            await _kill(killer, asking, seed=seed, kills=kills)
            progress("no more kills: waiting for every job's end")
            began = time.monotonic()
            told = await asking.told(ENDED_WITHIN_S)
            progress(f"{len(told)} jobs have ended after {time.monotonic() - began:.1f} s: comparing everything")
        history = await verdict.at_rest(system)
        counts = [
            Count("kills", killer.kills.total(), kills),
            *(Count(f"  {victim}", killer.kills[victim]) for victim in dict.fromkeys(VICTIMS)),
            *_asked(asking, history),
            *_ended(asking, told, history),
            *_attempts(killer, history),
            *_effects(asking, await asyncio.to_thread(_read, effects), history),
            *verdict.carried(history),
            await verdict.recovered(system),
            *await verdict.tools(system),
        ]
        return print_table(f"Jobs, seed {seed}", counts)


async def _kill(killer: Killer, asking: Asking, *, seed: int, kills: int) -> None:
    """Returns when everybody was killed and every job is accepted."""
    # The last jobs are asked for when the last kill is done, so that there is work all the time.
    asks = asyncio.create_task(asking.run(lambda: (killer.kills.total() + 1) / (kills + 1)))
    began = time.monotonic()
    try:
        for number, (victim, pause_s) in zip(range(1, kills + 1), deck(seed, VICTIMS), strict=False):
            killed = await killer.kill(victim)
            if asks.done():
                asks.result()
            if number % TELL_EVERY == 0 or number == kills:
                progress(
                    f"{number}/{kills} kills in {time.monotonic() - began:.0f} s (last: {killed} for {victim}), "
                    f"{len(asking.accepted)} jobs accepted"
                )
            await asyncio.sleep(pause_s)
        await asks
    finally:
        asks.cancel()


def _asked(asking: Asking, history: History) -> list[Count]:
    requested, accepted = oracles.attempts(history, jobs_app.TYPE).requested, set(asking.accepted)
    return [
        Count("jobs asked for and accepted", len(asking.accepted), 1, at_least=True),
        Count("  commands tried again under the same key", asking.tried_again),
        Count("  commands asked once more after they were accepted", asking.asked_once_more),
        Count("  answered with other jobs under the same key", asking.answered_differently, 0),
        Count(f"  refused {asking.refused[:1] or ''}".rstrip(), len(asking.refused), 0),
        Count("  accepted and lost", len(accepted - requested), 0),
        Count("  done that nobody was told of", len(requested - accepted), 0),
    ]


def _ended(asking: Asking, told: dict[UUID, JobTold], history: History) -> list[Count]:
    found = oracles.jobs(history)
    shown = Counter(each.status for each in told.values())
    return [
        Count(f"jobs shown as completed {_split(shown)}", shown["Completed"], len(asking.accepted)),
        Count("  requested twice", found.doubled, 0),
        Count("  without a verdict", found.open, 0),
        Count("  with several verdicts", found.several_verdicts, 0),
        Count("  with another verdict", found.verdicts.total() - found.verdicts["succeeded"], 0),
        Count("  begun after their verdict", found.after_verdict, 0),
        Count("  longest time from request to verdict, s", found.longest_open_s),
    ]


def _attempts(killer: Killer, history: History) -> list[Count]:
    found = oracles.attempts(history, jobs_app.TYPE)
    lived = sum(pid_of(worker) not in killer.pids for worker in found.lost)
    return [
        Count(f"attempts {_split(found.ended)}", len(found.started)),
        Count("  claimed twice", oracles.jobs(history).attempts_run_twice, 0),
        Count("  out of turn", found.out_of_turn, 0),
        Count("  lost with their worker", len(found.lost), 1, at_least=True),
        Count("  lost although their worker was not killed", lived, 0),
        Count("  outcomes that came too late", found.ignored),
    ]


def _effects(asking: Asking, found: Effects, history: History) -> list[Count]:
    started = oracles.attempts(history, jobs_app.TYPE).started
    accepted = set(asking.accepted)
    return [
        Count("effects", len(found.keys), len(accepted)),
        Count("  missing", len(accepted - found.keys), 0),
        Count("  of jobs that nobody asked for", len(found.keys - accepted), 0),
        Count("  found done already by a later attempt", found.met_again),
        Count("runs", len(found.runs), len(accepted), at_least=True),
        Count("  of one attempt twice", oracles.run_twice(found.runs), 0),
        Count("  without a granted claim", len(set(found.runs) - started), 0),
    ]


def _read(path: Path) -> Effects:
    connection = jobs_app.opened(path)
    try:
        runs = [(UUID(job), attempt) for job, attempt in connection.execute("SELECT job, attempt FROM runs")]
        keys = {UUID(key) for (key,) in connection.execute("SELECT key FROM effects")}
        [met_again] = connection.execute("SELECT count(*) FROM met_again").fetchone()
    finally:
        connection.close()
    return Effects(runs, keys, met_again)


def _split(counter: Counter[str]) -> str:
    return "(" + ", ".join(f"{word} {count}" for word, count in sorted(counter.items())) + ")"
