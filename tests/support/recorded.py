"""Recorded events without the services that record them: a log that numbers what it is told, as the real one would."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import msgspec
from nats.aio.client import Client

from linstock import names
from linstock.bus.envelope import Delivered, to_headers
from linstock.eventlog.record import Recorded
from linstock.messages.message import Message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class RecordedLog:
    """Numbers events 1 + `hole`, 2 + 2 · `hole` … and names each one's predecessor. Every event is a second later."""

    def __init__(self, name: str, *, epoch: UUID | None = None, hole: int = 0, workspace: str = "default") -> None:
        self.name = name
        self.epoch = epoch or uuid4()
        self.deliveries: list[Delivered] = []
        self._step = 1 + hole
        self._workspace = workspace
        self._versions: dict[UUID, int] = {}

    def says(self, aggregate_id: UUID, *events: Message, actor: str = "test") -> "RecordedLog":
        for event in events:
            self._add(aggregate_id, event, actor)
        return self

    @property
    def position(self) -> int:
        return self.deliveries[-1].recorded.position if self.deliveries else 0

    def _add(self, aggregate_id: UUID, event: Message, actor: str) -> None:
        previous = self.position
        version = self._versions[aggregate_id] = self._versions.get(aggregate_id, 0) + 1
        tag = event.__struct_config__.tag
        assert isinstance(tag, str)
        position = previous + self._step
        event_id = uuid5(self.epoch, f"{self.name}:{position}")
        recorded = Recorded(
            log=self.name,
            position=position,
            event_id=event_id,
            type=tag,
            time=NOON + timedelta(seconds=len(self.deliveries)),
            workspace=self._workspace,
            aggregate=tag.split(".")[1],
            aggregate_id=aggregate_id,
            version=version,
            actor=actor,
            correlation_id=event_id,
            causation_id=None,
            traceparent=None,
            data=msgspec.Raw(msgspec.json.encode(event)),
        )
        self.deliveries.append(Delivered(recorded=recorded, previous=previous, epoch=self.epoch))


async def publish(client: Client, deliveries: Iterable[Delivered]) -> None:
    """To EVENTS, in order, as the relay would; returns when the stream has them."""
    js = client.jetstream()
    for delivered in deliveries:
        recorded = delivered.recorded
        await js.publish(
            names.event_subject(recorded.log, recorded.workspace, recorded.type),
            bytes(recorded.data),
            headers=to_headers(recorded, previous=delivered.previous, epoch=delivered.epoch),
            stream=names.EVENTS,
        )
