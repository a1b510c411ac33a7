"""What goes on while things are killed: a library that is scanned every second, and callers who send commands."""

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx

from linstock import names
from tests.faults import tree
from tests.faults.commander import AGAIN_AFTER_S, Commander
from tests.faults.ledger import Ledger
from tests.faults.system import System

EVERY_SECOND = "* * * * * *"
TIMEOUT_S = 6.0
SETTLED_WITHIN_S = 60.0


class NeverSettled(Exception):
    """The system did not come to rest in time."""


class Workload:
    """One library on a per-second schedule, and a Commander beside it."""

    def __init__(self, system: System, *, seed: int) -> None:
        self.system = system
        self.ledger = Ledger()
        self.root = system.home / "photos"
        self.collections = tree.grow(self.root)
        plain = system.home / "few photos"
        plain.mkdir()
        self._commander = Commander(system.state.url, self.ledger, plain, seed=seed)
        self._task: asyncio.Task[None] | None = None
        self.library_id: UUID

    @property
    def schedule_id(self) -> UUID:
        return names.schedule_of(self.library_id)

    async def start(self) -> None:
        """Returns once the schedule stands and callers call."""
        body = {"name": "Every second", "path": str(self.root), "autoScan": True, "cronExpression": EVERY_SECOND}
        created = await self._insist("POST", "/api/v1/libraries", body, key="the-library")
        self.library_id = UUID(created["id"])
        self._task = asyncio.create_task(self._commander.run())

    def check_callers(self) -> None:
        """Raises what a caller could not live with."""
        if self._task is not None and self._task.done():
            self._task.result()

    def add_folder(self) -> None:
        """Something new to find."""
        tree.add_folder(self.root, f"album {self.collections}")
        self.collections += 1

    async def rest(self) -> None:
        """No more commands, no more ticks. Every caller has been told what became of its last command."""
        self._commander.stop()
        if self._task is not None:
            await self._task
        await self._insist("PATCH", f"/api/v1/libraries/{self.library_id}", {"autoScan": False}, key="enough")

    async def _insist(self, method: str, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Until it is done; a 202 is asked again under the same key until it is a real answer."""
        until = time.monotonic() + SETTLED_WITHIN_S
        last = ""
        async with httpx.AsyncClient(base_url=self.system.state.url, timeout=TIMEOUT_S) as client:
            while time.monotonic() < until:
                try:
                    answer = await client.request(method, path, json=body, headers={"Idempotency-Key": key})
                except httpx.HTTPError as error:
                    last = repr(error)
                else:
                    if answer.status_code in (200, 201):
                        found: dict[str, Any] = answer.json()
                        return found
                    last = f"{answer.status_code} {answer.text[:300]}"
                await asyncio.sleep(AGAIN_AFTER_S)
        raise NeverSettled(f"{NeverSettled.__doc__} {method} {path}: {last}")
