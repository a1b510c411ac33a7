"""One event as a view sees it, and how it is read from the wire. Pure."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

import linstock.messages
from linstock.bus.envelope import Delivered
from linstock.eventlog.record import Recorded
from linstock.messages.message import Message


class Fact(Struct, frozen=True, gc=False):
    """`event` and what its envelope says about it (`recorded` is all of it). Nothing of how it arrived."""

    event: Message
    log: str
    position: int
    time: datetime
    workspace: str
    aggregate_id: UUID
    version: int
    actor: str
    recorded: Recorded


class Poison(Exception):
    """An event that can't be projected. The projection stops here: without it every later row would be a guess."""

    def __init__(self, log: str, position: int, event_type: str, detail: str) -> None:
        super().__init__(f"{self.__doc__} {log}:{position} {event_type}: {detail}")
        self.log, self.position, self.event_type, self.detail = log, position, event_type, detail


def fact_of(delivered: Delivered) -> Fact:
    """Raises Poison for a type this program does not know, or a body that does not decode."""
    recorded = delivered.recorded
    decoder = _DECODERS.get(recorded.type)
    if decoder is None:
        raise Poison(recorded.log, recorded.position, recorded.type, "this version does not know the type")
    try:
        event = decoder.decode(recorded.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Poison(recorded.log, recorded.position, recorded.type, str(error)) from error
    return Fact(
        event,
        recorded.log,
        recorded.position,
        recorded.time,
        recorded.workspace,
        recorded.aggregate_id,
        recorded.version,
        recorded.actor,
        recorded,
    )


def event_types() -> dict[str, type[Message]]:
    """Every event of `linstock.messages`, by its type."""
    return {
        tag: kind
        for kind in _messages()
        if isinstance(tag := kind.__struct_config__.tag, str) and tag.startswith("linstock.")
    }


def _messages() -> Iterator[type[Message]]:
    for module in pkgutil.iter_modules(linstock.messages.__path__, "linstock.messages."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Message):
                yield value


_DECODERS: dict[str, msgspec.json.Decoder[Message]] = {
    tag: msgspec.json.Decoder(kind) for tag, kind in event_types().items()
}
