"""The relay: carries a log from Postgres to EVENTS, in order, each event once, for ever.

One is active per log; others stand by. Whatever goes wrong, it lets go of the log, waits a little, takes it again and
resumes behind what it finds in the stream. So it keeps no position of its own that could be wrong.
"""

import asyncio
from uuid import UUID

import structlog
from msgspec import Struct
from nats.aio.client import Client
from prometheus_client import Counter, Gauge

from linstock.bus.provision import provision_on
from linstock.cancellation import cancel
from linstock.crashpoints import reach
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.stream import EventStream, Fenced, StreamLost
from linstock.eventlog.tail import Page, Tail
from linstock.outage import plain

POLL_S = 1.0
STANDBY_S = 1.0
STREAM_CHECK_S = 2.0
FIRST_DELAY_S = 0.05
LAST_DELAY_S = 3.0
DRAIN_S = 1.0

RELAYED = Counter("linstock_relay_events", "Events published to EVENTS", ["log"])
LAG = Gauge("linstock_relay_lag_positions", "Positions (they have holes) between the log's end and EVENTS", ["log"])
ACTIVE = Gauge("linstock_relay_active", "1 on the relay that publishes this log, 0 on standbys", ["log"])
HALTED = Gauge("linstock_relay_halted", "1 while EVENTS holds what Postgres does not: nothing is published", ["log"])

logger = structlog.get_logger(__name__)


class HistoryDiffers(Exception):
    """EVENTS holds an event that Postgres does not have: Postgres went back in time. Nothing is published. Restore
    Postgres, or run `linstock events republish` to make EVENTS again from what Postgres has."""

    def __init__(self, log: str, position: int, detail: str) -> None:
        super().__init__(f"{log}:{position}: {detail}. {' '.join((self.__doc__ or '').split())}")
        self.log = log
        self.position = position


class StreamMoved(Exception):
    """The log's last message in EVENTS is not the one published last: the stream was made again, or restored."""


class EpochRenewed(Exception):
    """The log's epoch was renewed in Postgres."""


class LeadLost(Exception):
    """The connection that held the relay lock is gone."""


class Lag(Struct, frozen=True, kw_only=True):
    """`behind` counts positions, which have holes; 0 is exact. `last_error` is None once events flow again."""

    active: bool
    behind: int
    last_error: str | None


class _Place(Struct, frozen=True):
    """Where relaying continues: behind `position` of the log and `sequence` of the stream (0, 0: at the start)."""

    epoch: UUID
    position: int
    sequence: int


class Relay:
    def __init__(self, log: PostgresLog, *, dsn: str, nats: Client) -> None:
        self._log = log
        self._dsn = dsn
        self._client = nats
        self._stream = EventStream(nats, log.name)
        self._task: asyncio.Task[None] | None = None
        self._active = False
        self._relayed = 0
        self._error: str | None = None
        self._delay_s = FIRST_DELAY_S

    async def start(self) -> None:
        """Returns at once; what is away is waited for. Does nothing when it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"relay-{self._log.name}")

    async def stop(self) -> None:
        """Gives an active relay a second to carry over what was appended. Safe to call twice or before start."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._active:
            await self._drain()
        await cancel(task)

    def lag(self) -> Lag:
        behind = max(0, self._log.seen - self._relayed) if self._active else 0
        return Lag(active=self._active, behind=behind, last_error=self._error)

    @property
    def problem(self) -> str | None:
        """Why this relay is not well; None when it relays or stands by."""
        return self._error

    async def _run(self) -> None:
        while True:
            try:
                tail = await Tail.take(self._dsn, self._log.name, self._log.ring_from)
                if tail is None:
                    self._error = None
                    await asyncio.sleep(STANDBY_S)
                    continue
                try:
                    await self._relay(tail)
                finally:
                    self._lead(active=False)
                    await tail.close()
            except (StreamMoved, EpochRenewed, StreamLost, Fenced, LeadLost) as reason:
                logger.warning("Relay resumes", log=self._log.name, reason=reason.__doc__)
            except Exception as error:
                self._failed(error)
            await asyncio.sleep(self._delay_s)
            self._delay_s = min(self._delay_s * 2, LAST_DELAY_S)

    async def _relay(self, tail: Tail) -> None:
        place = await self._resume(tail)
        logger.info("Relay is active", log=self._log.name, position=place.position)
        self._well(place)
        self._lead(active=True)
        checked_at = asyncio.get_running_loop().time()
        while True:
            rung = self._log.grown.expect()
            try:
                page = await tail.page(place.position)
                if page.epoch != place.epoch:
                    raise EpochRenewed
                if page.events:
                    place = await self._publish(page, place)
                    continue
                if asyncio.get_running_loop().time() - checked_at >= STREAM_CHECK_S:
                    await self._check(place)
                    checked_at = asyncio.get_running_loop().time()
                await self._idle(tail, rung)
            finally:
                self._log.grown.forget(rung)

    async def _resume(self, tail: Tail) -> _Place:
        """Behind the stream's last message of this log. Raises HistoryDiffers."""
        epoch = await tail.epoch()
        self._log.saw(await tail.head())
        try:
            standing = await self._stream.last()
        except StreamLost:
            logger.warning("EVENTS is not there: making it and filling it again", log=self._log.name)
            await provision_on(self._client)
            standing = await self._stream.last()
        if standing is None:
            return _Place(epoch, 0, 0)
        found = standing.delivered
        position = found.recorded.position
        if found.epoch != epoch:
            raise HistoryDiffers(self._log.name, position, f"EVENTS has epoch {found.epoch}, Postgres {epoch}")
        if await tail.event_id_at(position) != found.recorded.event_id:
            raise HistoryDiffers(self._log.name, position, f"Postgres has no event {found.recorded.event_id} there")
        return _Place(epoch, position, standing.sequence)

    async def _publish(self, page: Page, place: _Place) -> _Place:
        sequence = await self._stream.publish(
            page.events, previous=place.position, epoch=place.epoch, behind=place.sequence
        )
        reach("after_publish_before_confirm")
        RELAYED.labels(self._log.name).inc(len(page.events))
        place = _Place(place.epoch, page.events[-1].position, sequence)
        self._well(place)
        return place

    async def _check(self, place: _Place) -> None:
        standing = await self._stream.last()
        if (standing.sequence if standing else 0) != place.sequence:
            raise StreamMoved

    async def _idle(self, tail: Tail, rung: "asyncio.Future[None]") -> None:
        await asyncio.wait([rung, tail.lost], timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        if tail.lost.done():
            raise LeadLost

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                while self.lag().behind and self._active:
                    await self._log.grown.wait(0.01)
        except TimeoutError:
            logger.info("Relay stops before the end of the log", log=self._log.name, behind=self.lag().behind)

    def _lead(self, *, active: bool) -> None:
        self._active = active
        ACTIVE.labels(self._log.name).set(int(active))

    def _well(self, place: _Place) -> None:
        self._error = None
        self._delay_s = FIRST_DELAY_S
        self._relayed = place.position
        self._log.saw(place.position)
        HALTED.labels(self._log.name).set(0)
        LAG.labels(self._log.name).set(self._log.seen - place.position)

    def _failed(self, error: Exception) -> None:
        halted = isinstance(error, HistoryDiffers)
        HALTED.labels(self._log.name).set(int(halted))
        reason = plain(error)
        if halted:
            self._delay_s = LAST_DELAY_S
        if reason != self._error:  # once, not at each attempt
            logger.error("Relay cannot publish", log=self._log.name, reason=reason, error=repr(error), halted=halted)
        self._error = reason
