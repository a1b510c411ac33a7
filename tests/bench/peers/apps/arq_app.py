"""arq: redis, asyncio; a worker polls twice a second."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import marks
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

REDIS = RedisSettings.from_dsn(os.environ["PEER_URL"])
QUIET = {"version": 1, "disable_existing_loggers": False}  # two lines a job otherwise, which no other writes


async def noop(_context: dict[str, Any], number: int) -> int:
    return marks.ran(number)


class WorkerSettings:
    functions = (noop,)
    redis_settings = REDIS
    max_jobs = 100


class Client:
    blocking = False
    batch = 100
    _redis: ArqRedis

    async def open(self) -> None:
        self._redis = await create_pool(REDIS)

    async def close(self) -> None:
        await self._redis.aclose()

    async def enqueue(self, number: int) -> None:
        await self._redis.enqueue_job("noop", number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        await asyncio.gather(*(self.enqueue(number) for number in numbers))

    async def finished(self, count: int) -> bool:
        return len(await self._redis.keys("arq:result:*")) >= count
