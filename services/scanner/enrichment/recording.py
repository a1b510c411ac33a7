"""Records what one run has found: events of at most 512 KiB, after whatever others recorded meanwhile."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from linstock import names
from linstock.crashpoints import reach
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, Origin, VersionConflict
from linstock.jobs.orders import Order
from linstock.messages.enrichment import CollectionsEnriched, EnrichmentEvent, FilesQuarantined
from services.scanner.enrichment.known import KnownImages
from services.scanner.enrichment.pages import Studied, cut, pages

ACTOR = "scanner"
QUARANTINE_BYTES = 256 * 1024


class Recording:
    """Of one order. The index is part of it: its version is what an append expects."""

    def __init__(
        self, log: EventLog, known: KnownImages, order: Order, library_id: UUID, *, now: Callable[[], datetime]
    ) -> None:
        self._log = log
        self._known = known
        self._order = order
        self._library_id = library_id
        self._now = now

    async def put(self, found: Sequence[Studied]) -> None:
        """What is in quarantine first: a collection is settled last. Raises what the log and the database raise; some
        may be recorded then."""
        job_id, library_id = self._order.request.job_id, self._library_id
        for studied in found:
            for files in cut(studied.quarantined, QUARANTINE_BYTES):
                if files:
                    collection_id = studied.entry.collection_id
                    await self._append(
                        FilesQuarantined(
                            job_id=job_id,
                            library_id=library_id,
                            collection_id=collection_id,
                            files=files,
                            at=self._now(),
                        )
                    )
        for page in pages([studied.entry for studied in found]):
            await self._append(
                CollectionsEnriched(job_id=job_id, library_id=library_id, collections=page, at=self._now())
            )

    async def _append(self, event: EnrichmentEvent) -> None:
        while True:
            append = Append(
                aggregate="enrichment",
                aggregate_id=names.enrichment_of(self._library_id),
                expected_version=await self._known.version(self._library_id),
                events=[event],
            )
            try:
                recorded = await self._log.append([append], self._origin(event.at))
            except VersionConflict:
                await self._known.catch_up(self._log, self._library_id)
                continue
            reach("after_enrichment_append_before_index")
            await self._known.apply(self._library_id, recorded)
            return

    def _origin(self, at: datetime) -> Origin:
        return Origin(
            workspace=self._order.workspace,
            actor=ACTOR,
            at=at,
            correlation_id=self._order.correlation_id,
            causation_id=self._order.event_id,
            traceparent=self._order.traceparent,
        )
