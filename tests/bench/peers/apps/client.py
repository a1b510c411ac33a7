"""Measures one queue from its client's side, in that queue's own Python: `client.py PEER session|bulk JOBS FILE`.

Writes one line of JSON to FILE for each figure as soon as it is there. In a session, whoever reads "enqueue" starts the
worker. Each PEER_app module has a `Client`:

    blocking            its calls block: it is driven without an event loop, which some clients refuse to run inside of
    open(), close()     connect, and make the schema if there is one
    enqueue(number)     one job, by the call that the queue's manual shows first
    finished(count)     whether that many jobs are recorded as done, with their results if it keeps any
    batch, enqueue_many(numbers)    only if there is a way to enqueue many: how many at once, and how
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import marks

WARM_UP = 20  # the first calls connect, prepare statements and load scripts
LATENCIES = 100
GAP_S = 0.02
POLL_S = 0.002

Pause = Callable[[float], Awaitable[None]]
Tell = Callable[[str, object], None]


class Queue(Protocol):
    blocking: bool
    batch: int

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def enqueue(self, number: int) -> None: ...
    async def enqueue_many(self, numbers: Sequence[int]) -> None: ...
    async def finished(self, count: int) -> bool: ...


async def session(queue: Queue, jobs: int, pause: Pause, tell: Tell) -> None:
    await queue.open()
    tell("enqueue", await one_by_one(queue, jobs))
    tell("drain", await drain(queue, jobs, pause))
    tell("latency_ms", await latency(queue, jobs, pause))
    await queue.close()


async def bulk(queue: Queue, jobs: int, _pause: Pause, tell: Tell) -> None:
    await queue.open()
    tell("bulk", await many(queue, jobs))
    await queue.close()


async def one_by_one(queue: Queue, jobs: int) -> float:
    """Jobs per second, each call made when the one before has returned."""
    for number in range(WARM_UP):
        await queue.enqueue(number)
    began = time.perf_counter()
    for number in range(WARM_UP, jobs):
        await queue.enqueue(number)
    return (jobs - WARM_UP) / (time.perf_counter() - began)


async def many(queue: Queue, jobs: int) -> float:
    """Jobs per second, in batches."""
    await queue.enqueue_many(range(min(jobs, queue.batch)))  # whole: a gather opens a connection for each call
    began = time.perf_counter()
    for first in range(0, jobs, queue.batch):
        await queue.enqueue_many(range(first, min(first + queue.batch, jobs)))
    return jobs / (time.perf_counter() - began)


async def drain(queue: Queue, jobs: int, pause: Pause) -> float:
    """Jobs per second from the first handler's start until all are recorded as done."""
    await _ran(range(jobs), pause)
    while not await queue.finished(jobs):
        await pause(POLL_S)
    ended = time.monotonic_ns()
    return jobs / ((ended - min(marks.at(number) for number in range(jobs))) / 1e9)


async def latency(queue: Queue, first: int, pause: Pause) -> list[float]:
    """Milliseconds from the start of the call to the start of the handler, of a worker that is warm and idle."""
    numbers = range(first, first + WARM_UP + LATENCIES)
    called = []
    for number in numbers:
        called.append(time.monotonic_ns())
        await queue.enqueue(number)
        await pause(GAP_S)
    await _ran(numbers, pause)
    return [(marks.at(number) - at) / 1e6 for number, at in zip(numbers, called, strict=True)][WARM_UP:]


async def _ran(numbers: Sequence[int], pause: Pause) -> None:
    for number in numbers:
        while not marks.at(number):
            await pause(POLL_S)


async def _block(seconds: float) -> None:
    time.sleep(seconds)


def _run_without_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a blocking client waited for an event loop")


def main() -> None:
    name, what, jobs, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    marks.create(jobs + WARM_UP + LATENCIES)
    queue: Queue = importlib.import_module(f"{name}_app").Client()

    def tell(figure: str, value: object) -> None:
        with file.open("a") as out:
            out.write(json.dumps({figure: value}) + "\n")

    measure = {"session": session, "bulk": bulk}[what]
    if queue.blocking:
        _run_without_loop(measure(queue, jobs, _block, tell))
    else:
        asyncio.run(measure(queue, jobs, asyncio.sleep, tell))


if __name__ == "__main__":
    main()
