"""dramatiq over redis. It keeps no results unless asked to: a job is done when its message is gone."""

import os

import dramatiq
import marks
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=os.environ["PEER_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="noop")
def noop(number: int) -> None:
    marks.ran(number)


class Client:
    blocking = True

    async def open(self) -> None:
        pass  # the first call connects

    async def close(self) -> None:
        broker.close()

    async def enqueue(self, number: int) -> None:
        noop.send(number)

    async def finished(self, _count: int) -> bool:
        return broker.client.hlen("dramatiq:default.msgs") == 0
