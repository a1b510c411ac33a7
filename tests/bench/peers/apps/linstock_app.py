"""Linstock: NATS and PostgreSQL, with its services as processes of their own, asyncio."""

import os
from collections.abc import Sequence

import asyncpg
import marks

import linstock

NATS_URL, DATABASE_URL = os.environ["PEER_URL"].split()
COMPLETED = "SELECT coalesce(sum(jobs), 0) FROM views.app_job_counts WHERE status = 'Completed'"


@linstock.job(name="noop")
async def noop(number: int) -> int:
    return marks.ran(number)


worker = linstock.Worker([noop], nats_url=NATS_URL, concurrency=100)


class Client:
    blocking = False
    batch = 2000

    async def open(self) -> None:
        self._client = linstock.Client(NATS_URL)
        await self._client.connect()
        self._views = await asyncpg.connect(DATABASE_URL)

    async def close(self) -> None:
        await self._client.close()
        await self._views.close()

    async def enqueue(self, number: int) -> None:
        await self._client.enqueue(noop, number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        await self._client.enqueue_many(noop, [{"number": number} for number in numbers])

    async def finished(self, count: int) -> bool:
        """In the read models, which is where their results are read."""
        completed: int = await self._views.fetchval(COMPLETED)
        return completed >= count
