"""dbos: durable workflows in PostgreSQL; as a queue it is polled once a second.

Run as a program, this is the worker.
"""

import os
import signal
from collections.abc import Sequence

import marks
import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

URL = os.environ["PEER_URL"]
QUEUE = "bench"
CONFIG: DBOSConfig = {"name": "bench-peer", "system_database_url": URL, "log_level": "WARNING"}
JOB: EnqueueOptions = {"workflow_name": "noop", "queue_name": QUEUE}


@DBOS.workflow(name="noop")
def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = True
    batch = 100
    _client: DBOSClient
    _engine: sqlalchemy.Engine

    async def open(self) -> None:
        DBOS(config=CONFIG)
        DBOS.launch()  # a client makes no schema
        DBOS.register_queue(QUEUE)
        DBOS.destroy()
        self._client = DBOSClient(system_database_url=URL)
        self._engine = sqlalchemy.create_engine(URL.replace("postgresql://", "postgresql+psycopg://", 1))

    async def close(self) -> None:
        self._engine.dispose()
        self._client.destroy()

    async def enqueue(self, number: int) -> None:
        self._client.enqueue(JOB, number)

    async def enqueue_many(self, numbers: Sequence[int]) -> None:
        with self._engine.begin() as transaction:
            for number in numbers:
                self._client.enqueue_in_transaction(transaction, JOB, number)

    async def finished(self, count: int) -> bool:
        with self._engine.begin() as transaction:
            done = transaction.execute(
                sqlalchemy.text("SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'")
            )
            return done.scalar_one() >= count


def work() -> None:
    DBOS(config=CONFIG)
    DBOS.launch()
    DBOS.register_queue(QUEUE)
    signal.pause()


if __name__ == "__main__":
    work()
