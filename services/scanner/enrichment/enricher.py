"""Runs Enrich orders: reads what the catalogue has of a library and nobody has looked into yet, collection after
collection, and records it batch by batch. Whoever goes on after a kill finds what is left in the index.
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

from linstock.bus.thumbnails import Full, Thumbnails
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.messages.enrichment import EnrichPayload
from linstock.messages.job import JobCancelled, JobFailed, JobRequested, JobRetryScheduled, JobTimedOut
from linstock.roots import EVERYWHERE, AllowedRoots, Bounds
from services.scanner.enrichment import metrics
from services.scanner.enrichment.known import Entry, KnownImages
from services.scanner.enrichment.pages import Studied
from services.scanner.enrichment.reader import Reader, Silent
from services.scanner.enrichment.recording import Recording
from services.scanner.enrichment.study import Ended, Over, PassedOver, Study, place_of
from services.scanner.enrichment.words import Place
from services.scanner.index import Index

logger = structlog.get_logger(__name__)

BATCH_COLLECTIONS = 64
RECORD_AFTER_S = 5.0
"""Longer than this nothing that was read waits to be recorded, but for one collection."""
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


class Summary(Struct, rename="camel"):
    """What a run came to."""

    collections: int = 0
    images: int = 0
    covers: int = 0
    quarantined: int = 0
    passed_over: int = 0

    def count(self, studied: Studied) -> None:
        self.collections += 1
        self.images += len(studied.entry.images)
        self.covers += studied.entry.cover is not None
        self.quarantined += len(studied.quarantined)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Enricher:
    """Runs orders of the queue of enrichment. What it records are facts about bytes: an attempt that was given up may
    still record some, and nothing is wrong. `busy` says whether anything is scanned here."""

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

    @property
    def running(self) -> int:
        return len(self._running)

    async def run(self, order: Order, lease: Lease) -> Raw | OwnVerdict:
        """The job's result; nothing to report of one that was closed elsewhere, or whose worker stops. Raises
        RootUnavailable, NoReader, and what the log raises."""
        request = order.request
        assert isinstance(request, JobRequested), "the queue of enrichment holds nothing else"
        task = _PAYLOAD.decode(request.payload)
        closed = self._running[request.job_id] = asyncio.Event()
        try:
            root, bounds = await self._begin(task)
            recording = Recording(self._log, self._known, order, task.library_id, now=self._now)
            summary = await self._all(
                task.library_id, recording, root, bounds, over=lambda: closed.is_set() or lease.lost.is_set()
            )
        except Ended:
            return OwnVerdict()
        finally:
            self._running.pop(request.job_id, None)
            await self._reader.rest()
        logger.info("Enriched", library_id=str(task.library_id), **msgspec.structs.asdict(summary))
        return Raw(msgspec.json.encode(summary))

    async def react(self, recorded: Recorded) -> None:
        """For any job event: one that was closed elsewhere ends here."""
        if self._running and recorded.type in _CLOSING_TYPES:
            closed = self._running.get(_CLOSINGS.decode(recorded.data).job_id)
            if closed:
                closed.set()

    async def _begin(self, task: EnrichPayload) -> tuple[bytes, Bounds]:
        await self._known.read_at(task.library_id, task.root)
        await self._known.catch_up(self._log, task.library_id)
        root = os.fsencode(task.root)
        if not await asyncio.to_thread(os.path.isdir, root):
            raise RootUnavailable(f"There is no folder at {task.root}.")
        return root, await asyncio.to_thread(self._roots.bounds)

    async def _all(self, library_id: UUID, recording: Recording, root: bytes, bounds: Bounds, *, over: Over) -> Summary:
        summary, after = Summary(), UUID(int=0)
        while entries := await self._known.unread(library_id, after=after, limit=BATCH_COLLECTIONS):
            found: list[Studied] = []
            since = time.monotonic()
            for entry in entries:
                await self._give_way(over)
                if studied := await self._studied(entry, place_of(root, entry, bounds), over, summary):
                    found.append(studied)
                if time.monotonic() - since >= RECORD_AFTER_S:
                    await recording.put(found)
                    found, since = [], time.monotonic()
            if over():
                raise Ended
            await recording.put(found)
            after = entries[-1].collection_id
        return summary

    async def _studied(self, entry: Entry, place: Place, over: Over, summary: Summary) -> Studied | None:
        study = Study(entry, place, reader=self._reader, keep=self._keep, has=self._thumbnails.has, over=over)
        try:
            studied = await study.run(self._index, self._known)
        except (PassedOver, Silent) as error:
            logger.warning("Images can't be read now", collection_id=str(entry.collection_id), reason=str(error))
            summary.passed_over += 1
            await self._known.pass_over(entry)
            return None
        summary.count(studied)
        metrics.IMAGES.inc(len(studied.entry.images))
        metrics.QUARANTINED.inc(len(studied.quarantined))
        return studied

    async def _give_way(self, over: Over) -> None:
        """Scans come first, and nothing is written to a full disk. Raises Ended."""
        until = time.monotonic() + LONGEST_YIELD_S
        while (self._busy() and time.monotonic() < until) or self._disk.full():
            if over():
                raise Ended
            await asyncio.sleep(YIELD_S)
        if over():
            raise Ended

    async def _keep(self, hashed: str, made: Mapping[int, bytes]) -> None:
        """Thumbnails are derived: those that are not stored now are made when somebody wants to see them."""
        try:
            await self._thumbnails.put(hashed, made)
            metrics.THUMBNAILS.inc(len(made))
        except Full as full:
            logger.warning("Thumbnails are not kept", reason=str(full))
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            logger.warning("Thumbnails could not be stored", error=str(error) or type(error).__name__)
