"""saq: redis, asyncio; a worker waits in a blocking pop."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import marks
from saq import Queue

queue = Queue.from_url(os.environ["PEER_URL"])


async def noop(_context: dict[str, Any], *, number: int) -> int:
    return marks.ran(number)


settings = {"queue": queue, "functions": [noop], "concurrency": 100}


class Client:
    blocking = False
    batch = 100

    async def open(self) -> None:
        await queue.connect()

    async def close(self) -> None:
        await queue.disconnect()

    async def enqueue(self, number: int) -> None:
        await queue.enqueue("noop", number=number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        await asyncio.gather(*(self.enqueue(number) for number in numbers))

    async def finished(self, _count: int) -> bool:
        return await queue.count("incomplete") == 0
