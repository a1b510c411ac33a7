"""celery with redis as its broker and as the store of its results."""

import os

import marks
from celery import Celery

app = Celery("bench", broker=os.environ["PEER_URL"], backend=os.environ["PEER_URL"])


@app.task(name="noop")
def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = True

    async def open(self) -> None:
        pass  # the first call connects

    async def close(self) -> None:
        app.close()

    async def enqueue(self, number: int) -> None:
        noop.delay(number)

    async def finished(self, count: int) -> bool:
        return len(app.backend.client.keys("celery-task-meta-*")) >= count
