"""A scheduler in this process, with a library log beside it, on real servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append, Origin, Recorded
from linstock.eventlog.relay import Relay
from linstock.jobs.claims import Reporter
from linstock.messages.hints import HintEvent
from linstock.messages.job import JobEvent, ScanRequested
from linstock.messages.library import LibraryCreated, LibraryDeleted, LibraryEvent, LibrarySettingsChanged, Settings
from linstock.messages.schedule import ScheduleEvent
from linstock.messages.work import Claim, ClaimAnswer, Outcome, Running, SignOfLife
from linstock.probes import Vitals
from linstock.settings import Settings as ProcessSettings
from services.scheduler.app import Limits, SchedulerService
from tests.support.waiting import becomes

E = TypeVar("E")
QUICK = Limits(lease_timeout_s=1.0, again_after_s=0.5)

_EVENTS: msgspec.json.Decoder[ScheduleEvent | JobEvent | HintEvent] = msgspec.json.Decoder(
    ScheduleEvent | JobEvent | HintEvent
)


def origin(actor: str = "test") -> Origin:
    return Origin(workspace=names.DEFAULT_WORKSPACE, actor=actor, at=datetime.now(UTC), correlation_id=uuid4())


class Libraries:
    """The library service's log, without the service: says that libraries were made, changed and deleted."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log
        self._versions: dict[UUID, int] = {}

    async def create(self, settings: Settings, library_id: UUID | None = None) -> UUID:
        library_id = library_id or uuid4()
        await self._say(library_id, LibraryCreated(library_id=library_id, settings=settings))
        return library_id

    async def change(self, library_id: UUID, settings: Settings) -> None:
        await self._say(library_id, LibrarySettingsChanged(library_id=library_id, settings=settings))

    async def delete(self, library_id: UUID) -> None:
        await self._say(library_id, LibraryDeleted(library_id=library_id))

    async def _say(self, library_id: UUID, event: LibraryEvent) -> None:
        version = self._versions.get(library_id, 0)
        append = Append(aggregate="library", aggregate_id=library_id, expected_version=version, events=[event])
        await self._log.append([append], origin())
        self._versions[library_id] = version + 1


class SchedulerLog:
    """What the scheduler has said so far."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log
        self._read: list[Recorded] = []

    async def append(self, appends: list[Append]) -> None:
        """As another replica would."""
        await self._log.append(appends, origin())

    async def recorded(self) -> list[Recorded]:
        while batch := await self._log.read(self._read[-1].position if self._read else 0):
            self._read += batch
        return self._read

    async def of(self, kind: type[E], aggregate_id: UUID | None = None) -> list[E]:
        """Events of one kind, in order."""
        tag = kind.__struct_config__.tag  # type: ignore[attr-defined]
        events: list[E] = []
        for recorded in await self.recorded():
            if recorded.type == tag and aggregate_id in (None, recorded.aggregate_id):
                event: object = _EVENTS.decode(recorded.data)
                assert isinstance(event, kind)
                events.append(event)
        return events

    async def wait_for(
        self, kind: type[E], count: int = 1, *, aggregate_id: UUID | None = None, timeout_s: float = 15.0
    ) -> list[E]:
        """As soon as there are `count` of them."""
        found: list[E] = []

        async def look() -> bool:
            found[:] = await self.of(kind, aggregate_id)
            return len(found) >= count

        await becomes(look, expected=True, timeout_s=timeout_s)
        return found


class Scheduler:
    """One replica."""

    def __init__(self, nats_url: str, database_url: str, limits: Limits) -> None:
        settings = ProcessSettings(service=names.SCHEDULER, database_url=database_url, nats_url=nats_url)
        self.vitals = Vitals(names.SCHEDULER)
        self.service = SchedulerService(settings, self.vitals, limits=limits)

    async def start(self) -> None:
        await self.service.start()
        self.vitals.started()

    async def ready(self, timeout_s: float = 15.0) -> None:
        async def look() -> bool:
            return not await self.vitals.unready()

        await becomes(look, expected=True, timeout_s=timeout_s)

    async def stop(self) -> None:
        await self.service.stop()


class HandWorker:
    """A worker that does only what the test tells it to; above all, it can fall silent."""

    def __init__(self, client: Client, name: str, slots: int) -> None:
        self._client = client
        self._name = name
        self._slots = slots
        self._reporter = Reporter(client, worker=name, queue=names.SCAN_QUEUE)
        self._running: dict[UUID, Running] = {}

    async def start(self) -> None:
        await self._reporter.start()
        self._orders = await self._client.jetstream().pull_subscribe_bind(
            durable=names.work_durable(names.SCAN_QUEUE), stream=names.WORK
        )
        await self.sign()

    async def order(self, timeout_s: float = 10.0) -> tuple[UUID, int]:
        """The next one on WORK, taken off it: which job, and which attempt of it."""
        [message] = await self._orders.fetch(1, timeout=timeout_s)
        await message.ack_sync()
        return order_of(message)

    async def claim(
        self, job_id: UUID, attempt: int = 1, *, lease: UUID | None = None, device: str = "", limit: int = 0
    ) -> ClaimAnswer:
        wanted = Claim(job_id=job_id, attempt=attempt, lease=lease or uuid4(), device=device, device_limit=limit)
        answer = await self._reporter.claim(names.DEFAULT_WORKSPACE, wanted)
        if answer.granted:
            self._running[answer.lease] = Running(job_id=job_id, attempt=attempt, lease=answer.lease)
            await self.sign()
        return answer

    async def report(self, claimed: ClaimAnswer, *, succeeded: bool = True, final: bool = False) -> None:
        outcome = Outcome(
            job_id=claimed.job_id,
            attempt=claimed.attempt,
            lease=claimed.lease,
            succeeded=succeeded,
            code="" if succeeded else "broken",
            final=final,
        )
        await self._reporter.report(names.DEFAULT_WORKSPACE, outcome)
        self._running.pop(claimed.lease, None)

    async def sign(self) -> None:
        """One sign of life."""
        running = tuple(self._running.values())
        sign = SignOfLife(worker=self._name, queues=(names.SCAN_QUEUE,), slots=self._slots, running=running)
        await self._client.publish(names.life_subject(self._name), msgspec.json.encode(sign))


def order_of(message: Msg) -> tuple[UUID, int]:
    request = msgspec.json.decode(message.data, type=ScanRequested)
    assert message.headers
    return request.job_id, int(message.headers["ls-attempt"])


class Rig:
    """Schedulers and the logs around them. Everything that was started is stopped in the end."""

    def __init__(self, nats_url: str, database_url: str, stack: AsyncExitStack) -> None:
        self.nats_url = nats_url
        self.database_url = database_url
        self._stack = stack
        self.client: Client
        self.libraries: Libraries
        self.log: SchedulerLog

    async def scheduler(self, limits: Limits = QUICK) -> Scheduler:
        started = Scheduler(self.nats_url, self.database_url, limits)
        self._stack.push_async_callback(started.stop)
        await started.start()
        return started

    async def worker(self, name: str = "by-hand", *, slots: int = 2) -> "HandWorker":
        made = HandWorker(self.client, name, slots)
        await made.start()
        return made

    async def postgres_time(self) -> datetime:
        connection = await asyncpg.connect(self.database_url)
        try:
            now: datetime = await connection.fetchval("SELECT clock_timestamp()")
        finally:
            await connection.close()
        return now

    async def open(self) -> None:
        await provision(self.nats_url)
        client = self.client = await connect(self.nats_url, "rig")
        self._stack.push_async_callback(close, client)
        libraries = await PostgresLog.open(names.LIBRARY, self.database_url)
        self._stack.push_async_callback(libraries.close)
        relay = Relay(libraries, dsn=self.database_url, nats=client)
        self._stack.push_async_callback(relay.stop)
        await relay.start()
        said = await PostgresLog.open(names.SCHEDULER, self.database_url)
        self._stack.push_async_callback(said.close)
        self.libraries, self.log = Libraries(libraries), SchedulerLog(said)


@asynccontextmanager
async def rig(nats_url: str, database_url: str) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        made = Rig(nats_url, database_url, stack)
        await made.open()
        yield made
