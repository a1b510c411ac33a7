"""Reads what a catalogue's history says is missing, and forgets by a library's own policy what has been so for long."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from linstock import names
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import VersionConflict
from linstock.messages.answer import Purged
from linstock.messages.catalogue import CollectionsPurged
from services.scanner import catalogue, history, purge
from services.scanner.catalogue import CATALOGUE, CatalogueBusy
from services.scanner.index import Index
from services.scanner.ledger import ACTOR, Attempt
from services.scanner.purge import Missing, Purge

logger = structlog.get_logger(__name__)

PAGES_BY_POLICY = 16
"""8 MiB in one append; what is due beyond that is forgotten the next time."""
EVERY = timedelta(hours=20)
"""A library's whole history is read: not after each of its scans, but on each day that it is scanned."""


async def due(log: EventLog, wanted: Purge) -> tuple[Purged, list[CollectionsPurged]]:
    """How much it forgets, and the pages that say so. Reads the whole log."""
    missing = Missing()
    async for events in history.batches(log, wanted.library_id):
        for event in events:
            missing.see(CATALOGUE.decode(event.data))
    collections, images = missing.due(wanted)
    return purge.counts(collections, images, wanted), list(purge.pages(collections, images, wanted))


class PurgePolicy:
    """Of one scanner process."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index
        self._looked: dict[UUID, datetime] = {}

    async def after(self, attempt: Attempt, days: int, at: datetime) -> None:
        """Forget what had been missing for `days` when the scan ended at `at`. Whoever writes to the catalogue
        meanwhile is first; the next scan does it then."""
        library_id = attempt.library_id
        looked = self._looked.get(library_id)
        if not days or (looked and at < looked + EVERY):
            return
        loaded = await CATALOGUE.load(self._log, library_id)
        wanted = Purge(
            purge_id=names.derived_id("purge", library_id, attempt.scan_id),
            library_id=library_id,
            actor=ACTOR,
            missing_before=at - timedelta(days=days),
            at=at,
        )
        counts, pages = await due(self._log, wanted)
        if pages:
            try:
                events = catalogue.purge(pages[:PAGES_BY_POLICY], loaded.state)
                recorded = await self._log.append([loaded.append(events)], attempt.origin(at))
            except (CatalogueBusy, VersionConflict):
                return
            await self._index.apply(library_id, recorded)
            logger.info("Missing for too long: forgotten", collections=counts.collections, images=counts.images)
        self._looked[library_id] = at
