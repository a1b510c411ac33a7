"""Runs CleanThumbnails orders: removes thumbnails that no collection has as its cover.

What covers there are is read from the log, the truth: an index may be empty at any moment. Whatever goes wrongly
is made again when somebody wants to see it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from msgspec import Raw, Struct

from linstock.bus.thumbnails import Kept, Thumbnails
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.messages.catalogue import (
    CollectionsDeparted,
    CollectionsPurged,
    CollectionsRecorded,
    CollectionsReverted,
)
from linstock.messages.enrichment import CollectionsEnriched, Cover
from linstock.messages.job import JobRequested
from linstock.messages.maintenance import CleanThumbnailsPayload
from linstock.messages.message import Message
from services.scanner.watching.roster import Roster

logger = structlog.get_logger(__name__)

READ_AT_ONCE = 64
YOUNG = timedelta(hours=1)
"""Thumbnails are stored before it is recorded whose they are."""
SHOWN = 20

_PAYLOAD: msgspec.json.Decoder[CleanThumbnailsPayload] = msgspec.json.Decoder(CleanThumbnailsPayload)


class _Enriched(Message, frozen=True):
    collection_id: UUID
    digest: str
    cover: Cover | None = None


class _Enrichment(Message, frozen=True):
    """CollectionsEnriched, without the images."""

    library_id: UUID
    collections: tuple[_Enriched, ...]


class _Found(Message, frozen=True):
    collection_id: UUID


class _Recorded(Message, frozen=True):
    """CollectionsRecorded, without what is in them."""

    collections: tuple[_Found, ...]


_ENRICHED, _RECORDED = CollectionsEnriched.__struct_config__.tag, CollectionsRecorded.__struct_config__.tag
_DEPARTED = CollectionsDeparted.__struct_config__.tag
_PURGED, _REVERTED = CollectionsPurged.__struct_config__.tag, CollectionsReverted.__struct_config__.tag


class Cleaned(Struct, rename="camel"):
    """What a run came to. Of the objects that no collection has as its cover so many are gone (of a dry run: would be);
    `young` ones of them stay for an hour. `kept` are those that are in use. `hashes` are the first that went."""

    dry_run: bool
    objects: int = 0
    bytes: int = 0
    young: int = 0
    kept: int = 0
    hashes: list[str] = msgspec.field(default_factory=list)


class Covers:
    """All covers of collections that are known, as the log has them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._position = 0
        self._covers: dict[UUID, tuple[UUID, str]] = {}  # the library and the hash
        self._withdrawn: set[UUID] = set()

    async def catch_up(self) -> None:
        while events := await self._log.read(self._position, limit=READ_AT_ONCE):
            for recorded in events:
                self._see(recorded)
            self._position = events[-1].position

    def hashes(self, deleted: set[UUID]) -> set[str]:
        """Without those of deleted libraries."""
        return {
            hashed
            for collection_id, (library_id, hashed) in self._covers.items()
            if library_id not in deleted and collection_id not in self._withdrawn
        }

    def _see(self, recorded: Recorded) -> None:
        """What is recorded again with the bytes that it had has its former cover."""
        data = recorded.data
        if recorded.type == _ENRICHED:
            page = msgspec.json.decode(data, type=_Enrichment)
            for one in page.collections:
                if one.digest and one.cover:
                    self._covers[one.collection_id] = (page.library_id, one.cover.hash)
                elif one.digest:
                    self._covers.pop(one.collection_id, None)
        elif recorded.type == _RECORDED and self._withdrawn:
            found = msgspec.json.decode(data, type=_Recorded)
            self._withdrawn.difference_update(each.collection_id for each in found.collections)
        elif recorded.type == _DEPARTED:
            departed = msgspec.json.decode(data, type=CollectionsDeparted)
            self._withdrawn.update(each.collection_id for each in departed.collections)
        elif recorded.type == _PURGED:
            self._withdrawn.update(msgspec.json.decode(data, type=CollectionsPurged).collections)
        elif recorded.type == _REVERTED:
            reverted = msgspec.json.decode(data, type=CollectionsReverted)
            self._withdrawn.update(each.collection_id for each in reverted.collections if each.entry is None)


class Cleaner:
    """One order at a time."""

    def __init__(
        self,
        log: EventLog,
        roster: Roster,
        thumbnails: Thumbnails,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._roster = roster
        self._thumbnails = thumbnails
        self._now = now

    async def run(self, order: Order, lease: Lease) -> Raw | OwnVerdict:
        """The job's result; nothing to report when the lease is lost. Raises what the log and NATS raise."""
        request = order.request
        assert isinstance(request, JobRequested), "the queue of maintenance holds nothing else"
        cleaned = Cleaned(dry_run=_PAYLOAD.decode(request.payload).dry_run)
        covers = Covers(self._log)
        async for stored in self._thumbnails.all():
            if lease.lost.is_set():
                return OwnVerdict()
            await covers.catch_up()  # each time: what was recorded meanwhile is in use
            wanted = covers.hashes(await self._roster.deleted())
            for kept in stored:
                await self._judge(kept, wanted, cleaned)
        logger.info("Thumbnails cleaned", objects=cleaned.objects, bytes=cleaned.bytes, dry_run=cleaned.dry_run)
        return Raw(msgspec.json.encode(cleaned))

    async def _judge(self, kept: Kept, wanted: set[str], cleaned: Cleaned) -> None:
        if kept.hashed in wanted:
            cleaned.kept += 1
        elif self._now() - kept.at < YOUNG:
            cleaned.young += 1
        else:
            if not cleaned.dry_run:
                await self._thumbnails.drop(kept)
            cleaned.objects += 1
            cleaned.bytes += kept.size_bytes
            if kept.hashed not in cleaned.hashes and len(cleaned.hashes) < SHOWN:
                cleaned.hashes.append(kept.hashed)
