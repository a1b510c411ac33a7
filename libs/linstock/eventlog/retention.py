"""Says once a day, in a log of ours, how far back its details are wanted. What follows from it is the read models'.

Any number of processes may do this on one log: the log takes one of them, and the others find it there.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from linstock import names
from linstock.cancellation import cancel
from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import FutureInstant, Origin, VersionConflict
from linstock.messages.message import Message
from linstock.messages.retention import RetentionApplied, RetentionEvent

logger = structlog.get_logger(__name__)

NOT_SOONER_THAN = timedelta(days=1)
LOOK_EVERY_S = 3600.0
CLOCKS_DIFFER = timedelta(hours=1)
"""At most, from Postgres's: what is decided here is about days."""


class Retention(Message, frozen=True):
    """When it was applied last; None: never."""

    applied_at: datetime | None = None


def evolve(retention: Retention, event: RetentionEvent) -> Retention:
    del retention
    return Retention(applied_at=event.before + timedelta(days=event.days))


def decide(retention: Retention, *, days: int, oldest: datetime | None, at: datetime) -> Sequence[RetentionEvent]:
    """`oldest` is when the log's first event was recorded. Nothing is said while nothing is old enough."""
    before = at - timedelta(days=days)
    if oldest is None or oldest >= before:
        return []
    if retention.applied_at is not None and at - retention.applied_at < NOT_SOONER_THAN:
        return []
    return [RetentionApplied(before=before, days=days)]


RETENTION: Aggregate[Retention, RetentionEvent] = Aggregate(
    "retention",
    initial=Retention,
    evolve=evolve,
    events=RetentionEvent,
    state=Retention,
    snapshots=Snapshots(shape="1"),
)


class RetentionClerk:
    """Looks at the start and every hour from `start` to `stop`. `now` may raise: then the next look decides."""

    def __init__(self, log: EventLog, *, days: int, now: Callable[[], datetime], every_s: float = LOOK_EVERY_S) -> None:
        self._log = log
        self._days = days
        self._now = now
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._look_on(), name="retention")

    async def stop(self) -> None:
        """Safe to call twice."""
        task, self._task = self._task, None
        if task:
            await cancel(task)

    async def apply(self) -> None:
        """Raises what the log raises. A clock that is far ahead of Postgres's decides nothing: it would have the
        read models forget what is not old."""
        at, retention_id = self._now(), names.retention_of(self._log.name)
        first = await self._log.read(0, limit=1)
        loaded = await RETENTION.load(self._log, retention_id)
        events = decide(loaded.state, days=self._days, oldest=first[0].time if first else None, at=at)
        if not events:
            return
        try:
            await self._log.append(
                [loaded.append(events)], _origin(self._log.name, retention_id, at), not_before=at - CLOCKS_DIFFER
            )
        except VersionConflict:
            return  # another process of this service was faster
        except FutureInstant:
            logger.warning("This clock is far ahead of Postgres's: nothing is forgotten by it", log=self._log.name)

    async def _look_on(self) -> None:
        while True:
            try:
                await self.apply()
            except Exception as error:  # a log that is away for now: an hour later is as good
                logger.warning("Retention waits", log=self._log.name, error=str(error) or type(error).__name__)
            await asyncio.sleep(self._every_s)


def _origin(log: str, retention_id: UUID, at: datetime) -> Origin:
    return Origin(workspace=names.DEFAULT_WORKSPACE, actor=log, at=at, correlation_id=retention_id)
