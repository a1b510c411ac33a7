"""What a pull asks for, without a server: the moments that one cannot be made to choose."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock.bus.pull import Pull
from tests.support.waiting import becomes


class Asked:
    """Stands in for a connection: keeps how many messages each request asks for."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.deliver: Callable[[Msg], Awaitable[None]]

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, _: str, *, cb: Callable[[Msg], Awaitable[None]], **__: Any) -> Any:
        self.deliver = cb
        return SimpleNamespace(subject="_INBOX.x")

    async def publish(self, _: str, body: bytes, reply: str) -> None:
        assert reply
        self.batches.append(msgspec.json.decode(body)["batch"])

    async def say(self, data: bytes = b"", headers: dict[str, str] | None = None) -> None:
        await self.deliver(cast("Msg", SimpleNamespace(data=data, headers=headers)))


def pull(asked: Asked, ahead: int, *, refills: bool = True) -> Pull:
    return Pull(cast("Client", asked), stream="EVENTS", consumer="projection", ahead=ahead, refills=refills)


async def test_a_request_that_ends_while_its_reader_is_busy_is_made_again() -> None:
    asked = Asked()
    reading = pull(asked, 10)
    await reading.open()
    await asked.say(b"1")
    assert len(await reading.take(10)) == 1
    # Nobody waits for the wake-up call now.
    left = {"Status": "409", "Description": "Exceeded MaxBytes", "Nats-Pending-Messages": "9"}
    await asked.say(headers=left)
    taking = asyncio.create_task(reading.take(10))
    await becomes(lambda: asked.batches, [10, 10])
    await asked.say(b"2")
    assert [message.data for message in await taking] == [b"2"]


async def test_nothing_is_asked_for_until_it_is_wanted() -> None:
    asked = Asked()
    reading = pull(asked, 0)
    await reading.open()
    taking = asyncio.create_task(reading.take(10))
    await asyncio.sleep(0)
    assert asked.batches == []
    await reading.want(3)
    assert asked.batches == [3]
    await asked.say(b"1")
    assert len(await taking) == 1


async def test_a_reader_with_little_room_asks_for_no_more_than_it_says() -> None:
    asked = Asked()
    reading = pull(asked, 2, refills=False)
    await reading.open()
    for data in (b"1", b"2"):
        await asked.say(data)
    assert len(await reading.take(10)) == 2
    taking = asyncio.create_task(reading.take(10))
    await asyncio.sleep(0)
    assert asked.batches == [2]
    await reading.want(1)
    assert asked.batches == [2, 1]
    await asked.say(b"3")
    assert len(await taking) == 1


async def test_what_was_not_delivered_in_time_is_asked_for_again() -> None:
    asked = Asked()
    reading = pull(asked, 3, refills=False)
    await reading.open()
    await asked.say(b"1")
    assert len(await reading.take(10)) == 1
    await asked.say(headers={"Status": "408", "Description": "Request Timeout", "Nats-Pending-Messages": "2"})
    taking = asyncio.create_task(reading.take(10))
    await becomes(lambda: asked.batches, [3, 2])
    await asked.say(b"2")
    assert len(await taking) == 1
