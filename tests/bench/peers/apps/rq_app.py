"""rq over redis: a worker forks for each job."""

import os
from collections.abc import Sequence

import marks
from redis import Redis
from rq import Queue
from rq.registry import FinishedJobRegistry


def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = True
    batch = 1000
    _redis: Redis
    _queue: Queue

    async def open(self) -> None:
        self._redis = Redis.from_url(os.environ["PEER_URL"])
        self._queue = Queue(connection=self._redis)

    async def close(self) -> None:
        self._redis.close()

    async def enqueue(self, number: int) -> None:
        self._queue.enqueue(noop, number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        self._queue.enqueue_many([Queue.prepare_data(noop, (number,)) for number in numbers])

    async def finished(self, count: int) -> bool:
        return FinishedJobRegistry(queue=self._queue).get_job_count(cleanup=False) >= count
