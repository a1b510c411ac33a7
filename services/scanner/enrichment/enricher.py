"""Runs one Enrich order: reads what the catalogue has of a library and nobody has looked into yet, collection after
collection, and records it page by page. Whoever goes on after a kill finds what is left in the index.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import nats.errors
import structlog
from msgspec import Raw, Struct
from nats.js.errors import APIError

from linstock import names
from linstock.bus.thumbnails import Full, Thumbnails
from linstock.crashpoints import reach
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, Origin, Recorded, VersionConflict
from linstock.jobs.worker import Lease, Order
from linstock.messages.enrichment import (
    CollectionsEnriched,
    EnrichedCollection,
    EnrichmentEvent,
    EnrichPayload,
    FilesQuarantined,
    QuarantinedFile,
)
from linstock.messages.job import JobCancelled, JobFailed, JobRequested, JobRetryScheduled, JobTimedOut
from linstock.roots import EVERYWHERE, AllowedRoots, Bounds
from services.scanner.enrichment import metrics
from services.scanner.enrichment.known import Entry, KnownImages
from services.scanner.enrichment.pages import Studied, cut, pages
from services.scanner.enrichment.reader import Reader, Silent
from services.scanner.enrichment.study import PassedOver, Study, place_of
from services.scanner.index import Index

logger = structlog.get_logger(__name__)

ACTOR = "scanner"
BATCH_COLLECTIONS = 64
RECORD_AFTER_S = 5.0
"""Longer than this nothing that was read waits to be recorded, but for one collection."""
QUARANTINE_BYTES = 256 * 1024
YIELD_S = 0.25
LONGEST_YIELD_S = 30.0
"""While scans run, one collection is read in this time."""

_PAYLOAD: msgspec.json.Decoder[EnrichPayload] = msgspec.json.Decoder(EnrichPayload)
Closing = JobCancelled | JobTimedOut | JobFailed | JobRetryScheduled
_CLOSINGS: msgspec.json.Decoder[Closing] = msgspec.json.Decoder(Closing)
_CLOSING_TYPES = frozenset(
    str(kind.__struct_config__.tag) for kind in (JobCancelled, JobTimedOut, JobFailed, JobRetryScheduled)
)


class RootUnavailable(Exception):
    """The library's folder is not there"""


class Ended(Exception):
    """The job was closed elsewhere, or the worker stops: nothing more is recorded."""


class Summary(Struct, rename="camel"):
    """What a run came to."""

    collections: int = 0
    images: int = 0
    covers: int = 0
    quarantined: int = 0
    passed_over: int = 0


def utc_now() -> datetime:
    return datetime.now(UTC)


class Enricher:
    """Runs orders of the queue of enrichment. What it records are facts about bytes: an attempt that was given up may
    still record some, and nothing is wrong."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        known: KnownImages,
        *,
        reader: Reader,
        thumbnails: Thumbnails,
        busy: Callable[[], bool],
        disk: Disk | None = None,
        roots: AllowedRoots = EVERYWHERE,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._log = log
        self._index = index
        self._known = known
        self._reader = reader
        self._thumbnails = thumbnails
        self._busy = busy
        self._disk = disk or Disk(None)
        self._roots = roots
        self._now = now
        self._running: dict[UUID, asyncio.Event] = {}

    async def run(self, order: Order, lease: Lease) -> Raw:
        """The job's result. Raises RootUnavailable, Ended, NoReader, and what the log raises."""
        request = order.request
        assert isinstance(request, JobRequested), "the queue of enrichment holds nothing else"
        task = _PAYLOAD.decode(request.payload)
        closed = self._running[request.job_id] = asyncio.Event()
        try:
            await self._known.read_at(task.library_id, task.root)
            await self._known.catch_up(self._log, task.library_id)
            root = os.fsencode(task.root)
            if not await asyncio.to_thread(os.path.isdir, root):
                raise RootUnavailable(f"There is no folder at {task.root}.")
            bounds = await asyncio.to_thread(self._roots.bounds)
            run = _Run(self, order, task, bounds, root, over=lambda: closed.is_set() or lease.lost.is_set())
            summary = await run.all()
        finally:
            self._running.pop(request.job_id, None)
        logger.info("Enriched", library_id=str(task.library_id), **msgspec.structs.asdict(summary))
        return Raw(msgspec.json.encode(summary))

    async def react(self, recorded: Recorded) -> None:
        """For any job event: one that was closed elsewhere ends here."""
        if self._running and recorded.type in _CLOSING_TYPES:
            closed = self._running.get(_CLOSINGS.decode(recorded.data).job_id)
            if closed:
                closed.set()

    async def give_way(self, over: Callable[[], bool]) -> None:
        """Scans come first, and nothing is written to a full disk. Raises Ended."""
        until = time.monotonic() + LONGEST_YIELD_S
        while (self._busy() and time.monotonic() < until) or self._disk.full():
            if over():
                raise Ended
            await asyncio.sleep(YIELD_S)
        if over():
            raise Ended

    async def study(self, entry: Entry, root: bytes, bounds: Bounds) -> Studied:
        """Raises PassedOver."""
        study = Study(
            entry, place_of(root, entry, bounds), reader=self._reader, keep=self._keep, has=self._thumbnails.has
        )
        try:
            return await study.run(self._index, self._known)
        except Silent as silent:
            raise PassedOver(str(silent.__doc__)) from silent

    async def record(self, library_id: UUID, event: EnrichmentEvent, origin: Origin) -> None:
        """After whatever was recorded meanwhile."""
        aggregate_id = names.enrichment_of(library_id)
        while True:
            append = Append(
                aggregate="enrichment",
                aggregate_id=aggregate_id,
                expected_version=await self._known.version(library_id),
                events=[event],
            )
            try:
                recorded = await self._log.append([append], origin)
            except VersionConflict:
                await self._known.catch_up(self._log, library_id)
                continue
            reach("after_enrichment_append_before_index")
            await self._known.apply(library_id, recorded)
            return

    async def pass_over(self, entry: Entry, why: str) -> None:
        logger.warning("A collection can't be read now", collection_id=str(entry.collection_id), reason=why)
        await self._known.pass_over(entry)

    async def unread(self, library_id: UUID, after: UUID) -> list[Entry]:
        return await self._known.unread(library_id, after=after, limit=BATCH_COLLECTIONS)

    def now(self) -> datetime:
        return self._now()

    async def _keep(self, hashed: str, made: Mapping[int, bytes]) -> None:
        """Raises Full."""
        try:
            await self._thumbnails.put(hashed, made)
            metrics.THUMBNAILS.inc(len(made))
        except Full as full:
            logger.warning("Thumbnails are not kept", reason=str(full))
            raise
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            # Derived: they are made when somebody wants to see them.
            logger.warning("Thumbnails could not be stored", error=str(error) or type(error).__name__)


class _Run:
    """One order from its first collection to its last."""

    def __init__(
        self,
        enricher: Enricher,
        order: Order,
        task: EnrichPayload,
        bounds: Bounds,
        root: bytes,
        *,
        over: Callable[[], bool],
    ) -> None:
        self._enricher = enricher
        self._order = order
        self._task = task
        self._bounds = bounds
        self._root = root
        self._over = over
        self._waiting: list[Studied] = []
        self._since = 0.0
        self._summary = Summary()

    async def all(self) -> Summary:
        after = UUID(int=0)
        while entries := await self._enricher.unread(self._task.library_id, after):
            for entry in entries:
                await self._enricher.give_way(self._over)
                await self._one(entry)
            after = entries[-1].collection_id
            await self._record()
        return self._summary

    async def _one(self, entry: Entry) -> None:
        try:
            studied = await self._enricher.study(entry, self._root, self._bounds)
        except PassedOver as passed:
            self._summary.passed_over += 1
            await self._enricher.pass_over(entry, str(passed))
            return
        self._since = self._since if self._waiting else time.monotonic()
        self._waiting.append(studied)
        self._count(studied)
        if time.monotonic() - self._since >= RECORD_AFTER_S:
            await self._record()

    def _count(self, studied: Studied) -> None:
        summary, entry = self._summary, studied.entry
        summary.collections += 1
        summary.images += len(entry.images)
        summary.covers += entry.cover is not None
        summary.quarantined += len(studied.quarantined)
        metrics.IMAGES.inc(len(entry.images))
        metrics.QUARANTINED.inc(len(studied.quarantined))

    async def _record(self) -> None:
        """What is in quarantine first: a collection is settled last."""
        if self._over():
            raise Ended
        waiting, self._waiting = self._waiting, []
        for studied in waiting:
            for files in cut(studied.quarantined, QUARANTINE_BYTES):
                if files:
                    await self._append(self._quarantined(studied.entry.collection_id, files))
        for page in pages([studied.entry for studied in waiting]):
            await self._append(self._enriched(page))

    async def _append(self, event: EnrichmentEvent) -> None:
        order = self._order
        origin = Origin(
            workspace=order.workspace,
            actor=ACTOR,
            at=event.at,
            correlation_id=order.correlation_id,
            causation_id=order.event_id,
            traceparent=order.traceparent,
        )
        await self._enricher.record(self._task.library_id, event, origin)

    def _quarantined(self, collection_id: UUID, files: tuple[QuarantinedFile, ...]) -> FilesQuarantined:
        return FilesQuarantined(
            job_id=self._order.request.job_id,
            library_id=self._task.library_id,
            collection_id=collection_id,
            files=files,
            at=self._enricher.now(),
        )

    def _enriched(self, page: tuple[EnrichedCollection, ...]) -> CollectionsEnriched:
        return CollectionsEnriched(
            job_id=self._order.request.job_id,
            library_id=self._task.library_id,
            collections=page,
            at=self._enricher.now(),
        )
