"""procrastinate: jobs are rows of PostgreSQL, a worker hears of them by NOTIFY."""

import os
from collections.abc import Sequence

import marks
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=os.environ["PEER_URL"]))


@app.task(name="noop")
async def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = False
    batch = 1000

    async def open(self) -> None:
        await app.open_async()
        await app.schema_manager.apply_schema_async()

    async def close(self) -> None:
        await app.close_async()

    async def enqueue(self, number: int) -> None:
        await noop.defer_async(number=number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        await noop.batch_defer_async(*({"number": number} for number in numbers))

    async def finished(self, count: int) -> bool:
        row = await app.connector.execute_query_one_async(
            "SELECT count(*) AS done FROM procrastinate_jobs WHERE status = 'succeeded'"
        )
        return row["done"] >= count
