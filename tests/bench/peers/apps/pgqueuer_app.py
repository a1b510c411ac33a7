"""pgqueuer over asyncpg: rows of PostgreSQL, heard of by NOTIFY, taken and logged in batches.

Run as a program, this is the worker: `pgq run` fails on the typer that it is installed with.
"""

import asyncio
import os
from collections.abc import Sequence

import asyncpg
import marks
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job

URL = os.environ["PEER_URL"]


class Client:
    blocking = False
    batch = 1000
    _connection: asyncpg.Connection
    _queries: Queries

    async def open(self) -> None:
        self._connection = await asyncpg.connect(URL)
        self._queries = Queries(AsyncpgDriver(self._connection))
        await self._queries.install()

    async def close(self) -> None:
        await self._connection.close()

    async def enqueue(self, number: int) -> None:
        await self._queries.enqueue("noop", b"%d" % number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        count = len(numbers)
        await self._queries.enqueue(["noop"] * count, [b"%d" % number for number in numbers], [0] * count)

    async def finished(self, count: int) -> bool:
        done: int = await self._connection.fetchval("SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'")
        return done >= count


async def work() -> None:
    queuer = PgQueuer.from_asyncpg_connection(await asyncpg.connect(URL))

    @queuer.entrypoint("noop")
    async def noop(job: Job) -> None:
        marks.ran(int(job.payload or b""))

    await queuer.run(batch_size=100)


if __name__ == "__main__":
    asyncio.run(work())
