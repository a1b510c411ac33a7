"""taskiq with a redis stream as its broker and redis as the store of its results."""

import asyncio
import os
from collections.abc import Sequence

import marks
from redis.asyncio import Redis
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

URL = os.environ["PEER_URL"]

broker = RedisStreamBroker(URL).with_result_backend(RedisAsyncResultBackend(URL, prefix_str="result"))


@broker.task(task_name="noop")
async def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = False
    batch = 100
    _redis: Redis

    async def open(self) -> None:
        self._redis = Redis.from_url(URL)
        await broker.startup()

    async def close(self) -> None:
        await broker.shutdown()
        await self._redis.aclose()

    async def enqueue(self, number: int) -> None:
        await noop.kiq(number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        await asyncio.gather(*(self.enqueue(number) for number in numbers))

    async def finished(self, count: int) -> bool:
        return len(await self._redis.keys("result:*")) >= count
