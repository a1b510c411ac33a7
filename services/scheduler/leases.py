"""Ends attempts whose worker fell silent or whose time is up.

Only who could have heard may judge: not while NATS is away, and not before everything that workers reported meanwhile
was handled (an outcome that waits in REPORTS came in time). Silence takes one whole timeout of listening on top.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.cancellation import cancel
from linstock.eventlog.record import VersionConflict
from linstock.messages.job import ExpireDeadline, ExpireLease
from linstock.messages.work import SignOfLife
from services.scheduler import metrics
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import Running
from services.scheduler.signs import Signs
from services.scheduler.verdicts import Verdicts

logger = structlog.get_logger(__name__)

LEASE_TIMEOUT_S = 7.0
LOOK_EVERY_S = 0.25
STALLED_S = 2.0  # a pass this late means that we were not listening ourselves

Drained = Callable[[], Awaitable[bool]]
"""Whether everything reported before the watch began has been handled."""


class _Seen(Struct, frozen=True):
    """When an attempt was seen first (monotonic), and by how much the clock had been set until then."""

    at_s: float
    stepped_s: float


class LeaseWatch:
    def __init__(
        self,
        client: Client,
        index: Index,
        clock: PostgresClock,
        verdicts: Verdicts,
        signs: Signs,
        *,
        drained: Drained,
        on_sign: Callable[[SignOfLife], None],
        timeout_s: float = LEASE_TIMEOUT_S,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._client = client
        self._index = index
        self._clock = clock
        self._verdicts = verdicts
        self._signs = signs
        self._drained = drained
        self._on_sign = on_sign
        self._timeout_s = timeout_s
        self._every_s = every_s
        self._listening_since: float | None = None
        self._first_seen: dict[UUID, _Seen] = {}
        self._looked_s = 0.0
        self._task: asyncio.Task[None] | None = None
        # At once, not at the next look: the clock may be set in between, and the attempt began before.
        index.on_job(self._note)

    async def start(self) -> None:
        await self._client.subscribe(names.ALL_LIFE, cb=self._hear)
        self._task = asyncio.create_task(self._run(), name="leases")

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    async def _hear(self, message: Msg) -> None:
        try:
            sign = msgspec.json.decode(message.data, type=SignOfLife)
        except msgspec.DecodeError as error:
            logger.warning("A sign of life can't be read", subject=message.subject, error=str(error))
            return
        self._signs.hear(sign, time.monotonic())
        self._on_sign(sign)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except Exception as error:  # Postgres or NATS is away; the next look knows more
                logger.warning("Leases can't be judged", error=repr(error))

    async def look(self) -> None:
        """One look at every running attempt."""
        here = time.monotonic()
        judging = await self._may_judge(here)
        now = self._clock.now()
        self._signs.forget(here)
        leases = [known.state.lease for known in self._index.running.values() if isinstance(known.state, Running)]
        self._first_seen = {lease: self._first_seen.get(lease) or self._seen() for lease in leases}
        if now is None or not judging:
            return
        for job_id, known in list(self._index.running.items()):
            if not isinstance(known.state, Running):
                continue
            worked_until = now - self._stepped(known.state.lease)
            if known.state.deadline <= worked_until:
                await self._time_out(job_id, known.state, worked_until, now)
            elif self._silent_s(known.state.lease, here) > self._timeout_s:
                await self._expire(job_id, known.state, now)

    def _note(self, job_id: UUID) -> None:
        known = self._index.running.get(job_id)
        if known and isinstance(known.state, Running):
            self._first_seen.setdefault(known.state.lease, self._seen())

    def _seen(self) -> _Seen:
        return _Seen(time.monotonic(), self._clock.stepped_s)

    async def _may_judge(self, here: float) -> bool:
        stalled = here - self._looked_s > max(STALLED_S, 2 * self._every_s)
        self._looked_s = here
        if stalled or not self._client.is_connected:
            self._listening_since = None
        if self._listening_since is None and self._client.is_connected and await self._drained():
            self._listening_since = here
        return self._listening_since is not None

    def _stepped(self, lease: UUID) -> timedelta:
        """A clock that was set meanwhile must not end what runs, nor let it run for longer."""
        return timedelta(seconds=self._clock.stepped_s - self._first_seen[lease].stepped_s)

    def _silent_s(self, lease: UUID, here: float) -> float:
        assert self._listening_since is not None
        heard = self._signs.heard(lease) or 0.0
        return here - max(heard, self._first_seen[lease].at_s, self._listening_since)

    async def _expire(self, job_id: UUID, running: Running, now: datetime) -> None:
        logger.warning("A lease is over", job_id=str(job_id), attempt=running.attempt, worker=running.worker)
        try:
            await self._verdicts.tell(job_id, ExpireLease(attempt=running.attempt, lease=running.lease, at=now))
        except VersionConflict:
            return  # others are at it: the next look sees what became of it
        metrics.EXPIRED_LEASES.inc()

    async def _time_out(self, job_id: UUID, running: Running, worked_until: datetime, now: datetime) -> None:
        logger.warning("An attempt passed its deadline", job_id=str(job_id), attempt=running.attempt)
        try:
            command = ExpireDeadline(attempt=running.attempt, worked_until=worked_until, at=now)
            await self._verdicts.tell(job_id, command)
        except VersionConflict:
            return
        metrics.TIMEOUTS.inc()
