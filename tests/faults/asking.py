"""An application that asks for jobs while everything is killed: again under the same key until it is told that it is
done, and now and then once more after that."""

import asyncio
import random
from collections.abc import Callable
from uuid import UUID

from linstock import Client, NotAccepted, Unreachable
from linstock.messages.asked import JobTold
from tests.faults import jobs_app

AT_ONCE = 50
AGAIN_S = 0.2
LOOK_EVERY_S = 0.05
ONCE_MORE = 0.2  # of what was accepted is asked for again


class Asking:
    """`accepted` are the jobs that it was told are stored, in order."""

    def __init__(self, client: Client, *, seed: int, jobs: int) -> None:
        self._client = client
        self._chance = random.Random(seed + 2)
        self._jobs = jobs
        self.accepted: list[UUID] = []
        self.tried_again = self.asked_once_more = self.answered_differently = 0
        self.refused: list[str] = []

    async def run(self, share_of: Callable[[], float]) -> None:
        """As far as `share_of` (0 to 1) says; returns when all were accepted."""
        for first in range(0, self._jobs, AT_ONCE):
            while first / self._jobs > share_of():
                await asyncio.sleep(LOOK_EVERY_S)
            count = min(AT_ONCE, self._jobs - first)
            ids = await self._insist(first, count)
            self.accepted += ids
            if self._chance.random() < ONCE_MORE:
                self.asked_once_more += 1
                self.answered_differently += await self._insist(first, count) != ids

    async def told(self, within_s: float) -> dict[UUID, JobTold]:
        """How the jobs stand, once all have ended, or late as it is then."""
        until = asyncio.get_running_loop().time() + within_s
        while True:
            left = until - asyncio.get_running_loop().time()
            try:
                found = await self._client.wait_for_all(self.accepted, max(left, 1))
            except Unreachable:
                await asyncio.sleep(AGAIN_S)
                if left > 0:
                    continue
                raise
            except TimeoutError:
                return {}
            return {each.job_id: each for each in found}

    async def _insist(self, first: int, count: int) -> list[UUID]:
        wanted = [jobs_app.effect.wanted((), {"number": number}) for number in range(first, first + count)]
        while True:
            try:
                handles = await self._client.enqueue_wanted(wanted, idempotency_key=f"jobs.{first}")
            except Unreachable:
                self.tried_again += 1
                await asyncio.sleep(AGAIN_S)
            except NotAccepted as refused:
                self.refused.append(str(refused))
                return []
            else:
                return [handle.id for handle in handles]
