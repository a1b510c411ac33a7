"""Streams and durables, made in one place. Services only bind to them.

`provision` makes what is missing and fails on drift: a stream or durable that stands but differs was changed by hand or
by another version, and quietly rewriting it could drop messages.
"""

from collections.abc import Iterable
from dataclasses import fields
from enum import Enum
from typing import Any

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from linstock import names
from linstock.bus.connection import close, connect

logger = structlog.get_logger(__name__)

MIB = 1024 * 1024
MESSAGE_LIMIT_BYTES = 1 * MIB


class Drift(Exception):
    """A stream or durable stands with other settings than this version provisions; mend it by hand, or delete it."""

    def __init__(self, what: str, differences: Iterable[str]) -> None:
        super().__init__(f"{what}: {'; '.join(differences)}. {self.__doc__}")
        self.what = what


def streams(replicas: int) -> tuple[StreamConfig, ...]:
    """Every stream. EVENTS has no limits and is never thinned; queues refuse new messages when full, so that what they
    hold already is not lost."""

    def queue(name: str, subject: str, *, max_mib: int) -> StreamConfig:
        return StreamConfig(
            name=name,
            subjects=[subject],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            num_replicas=replicas,
            discard=DiscardPolicy.NEW,
            max_bytes=max_mib * MIB,
            max_msg_size=MESSAGE_LIMIT_BYTES,
            duplicate_window=120,
            allow_direct=True,
        )

    events = StreamConfig(
        name=names.EVENTS,
        subjects=[names.ALL_EVENTS],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        discard=DiscardPolicy.NEW,
        max_msg_size=MESSAGE_LIMIT_BYTES,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        allow_direct=True,
    )
    dlq = StreamConfig(
        name=names.DLQ,
        subjects=[names.ALL_DLQ],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        discard=DiscardPolicy.NEW,
        max_bytes=256 * MIB,
        max_msg_size=2 * MESSAGE_LIMIT_BYTES,
    )
    return (
        events,
        queue(names.COMMANDS, names.ALL_COMMANDS, max_mib=256),
        queue(names.WORK, names.ALL_WORK, max_mib=256),
        queue(names.REPORTS, names.ALL_REPORTS, max_mib=256),
        dlq,
        _bucket(names.THUMBS, replicas),
    )


def _bucket(name: str, replicas: int) -> StreamConfig:
    """As object stores are by NATS's convention (ADR-20). It can't drop the oldest when it is full, so it has no limit
    of its own: who writes looks first (`bus/thumbnails.py`)."""
    return StreamConfig(
        name=f"OBJ_{name}",
        subjects=[f"$O.{name}.C.>", f"$O.{name}.M.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        discard=DiscardPolicy.NEW,
        allow_rollup_hdrs=True,
        allow_direct=True,
    )


def durable(name: str, *filters: str, ack_wait_s: float, max_ack_pending: int = 1000) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        name=name,
        filter_subject=filters[0] if len(filters) == 1 else None,
        filter_subjects=list(filters) if len(filters) > 1 else None,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait_s,
        max_ack_pending=max_ack_pending,
    )


def durables() -> tuple[tuple[str, ConsumerConfig], ...]:
    """Every durable, with its stream. None has max_deliver or inactive_threshold: both lose messages silently."""

    commands = tuple(
        (names.COMMANDS, durable(names.command_durable(owner), names.commands_to(owner), ack_wait_s=5))
        for owner in names.COMMANDED
    )
    return (
        *commands,
        (names.EVENTS, durable(names.reaction_durable(names.LIBRARY), *names.schedule_wishes(), ack_wait_s=5)),
        (
            names.EVENTS,
            durable(
                names.reaction_durable(names.SCHEDULER),
                names.events_of(names.LIBRARY),
                names.scan_events(),
                ack_wait_s=5,
            ),
        ),
        (names.EVENTS, durable(names.CLOSINGS_DURABLE, *names.job_closings(), ack_wait_s=5)),
        (names.EVENTS, durable(names.library_durable(names.SCANNER), names.events_of(names.LIBRARY), ack_wait_s=5)),
        (names.EVENTS, durable(names.PROJECTION_DURABLE, names.ALL_EVENTS, ack_wait_s=30, max_ack_pending=20_000)),
        *(
            (names.WORK, durable(names.work_durable(queue), names.work_of(queue), ack_wait_s=5))
            for queue in names.BUILT_IN_QUEUES
        ),
        (names.REPORTS, durable(names.REPORTS_DURABLE, names.ALL_REPORTS, ack_wait_s=5)),
    )


async def provision_queue(js: JetStreamContext, workspace: str, queue: str) -> None:
    """What an application's workers take their orders from. Safe to call again. Raises Drift."""
    name = names.work_durable(queue, workspace)
    orders = durable(name, names.work_of(queue, workspace), ack_wait_s=5, max_ack_pending=20_000)
    await _provision_durable(js, names.WORK, orders)


async def provision(nats_url: str, *, replicas: int = 1) -> None:
    """Make every stream and durable that is missing. Safe to call at any time, from any process, twice at once.

    Raises Drift, having made what was missing; nothing that stands is ever changed.
    """
    client = await connect(nats_url, "linstock-provision")
    try:
        await provision_on(client, replicas=replicas)
    finally:
        await close(client)


async def provision_on(client: Client, *, replicas: int = 1) -> None:
    """As `provision`, on a connection that stands."""
    js = client.jetstream()
    for stream in streams(replicas):
        await _provision_stream(js, stream)
    for stream_name, durable in durables():
        await _provision_durable(js, stream_name, durable)


async def _provision_stream(js: JetStreamContext, wanted: StreamConfig) -> None:
    assert wanted.name
    try:
        standing = (await js.stream_info(wanted.name)).config
    except NotFoundError:
        await js.add_stream(wanted)  # the same config twice is no error, so two processes may race
        logger.info("Made stream", stream=wanted.name)
        return
    _refuse_drift(f"stream {wanted.name}", wanted, standing)


async def _provision_durable(js: JetStreamContext, stream: str, wanted: ConsumerConfig) -> None:
    assert wanted.durable_name
    try:
        standing = (await js.consumer_info(stream, wanted.durable_name)).config
    except NotFoundError:
        await js.add_consumer(stream, wanted)
        logger.info("Made durable", stream=stream, durable=wanted.durable_name)
        return
    assert standing
    _refuse_drift(f"durable {wanted.durable_name}", wanted, standing)


def _refuse_drift(what: str, wanted: Any, standing: Any) -> None:
    """Compares what we set; what we leave to the server may be anything."""
    differences = [
        f"{field.name} is {_plain(stands)}, wanted {_plain(wants)}"
        for field in fields(wanted)
        if (wants := getattr(wanted, field.name)) not in (None, [])
        and _plain(wants) != _plain(stands := getattr(standing, field.name))
        and not _left_to_server(wants, stands)
    ]
    if differences:
        raise Drift(what, differences)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else sorted(value) if isinstance(value, list) else value


def _left_to_server(wants: Any, stands: Any) -> bool:
    """0, -1 and False are nats-py's words for "the server's default"."""
    return (wants in (0, -1) and not isinstance(wants, bool)) or (wants is False and stands is None)
