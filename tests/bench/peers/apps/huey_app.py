"""huey over redis: a list, popped without an acknowledgement; results are kept."""

import os

import marks
from huey import RedisHuey

huey = RedisHuey("bench", url=os.environ["PEER_URL"])


@huey.task(name="noop")
def noop(number: int) -> int:
    return marks.ran(number)


class Client:
    blocking = True

    async def open(self) -> None:
        pass  # the first call connects

    async def close(self) -> None:
        huey.storage.conn.close()

    async def enqueue(self, number: int) -> None:
        noop(number)

    async def finished(self, count: int) -> bool:
        return huey.storage.result_store_size() >= count
