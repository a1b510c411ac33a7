"""What a scan sets off: one job that reads what it found, in nobody's way."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from linstock import names
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.eventlog.relay import Relay
from linstock.messages.enrichment import EnrichPayload
from linstock.messages.job import ENRICH, JobCancelled, JobRequested, JobSucceeded, ScanRequested
from linstock.messages.maintenance import CLEAN_THUMBNAILS, CleanThumbnailsPayload
from linstock.messages.scan import Counts, ScanCompleted
from tests.integration.test_scheduler_overlap import PATIENT, ruled
from tests.support.scheduler import HandWorker, Rig, origin, rig
from tests.support.waiting import becomes


class Scans:
    """The scanner's log, without the scanner."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log

    async def complete(self, library_id: UUID, scan_id: UUID, lease: UUID, *, unenriched: int) -> None:
        verdict = ScanCompleted(
            scan_id=scan_id,
            library_id=library_id,
            attempt=1,
            lease=lease,
            counts=Counts(),
            duration_ms=1,
            held=0,
            at=datetime.now(UTC),
            unenriched=unenriched,
        )
        append = Append(aggregate="scan", aggregate_id=scan_id, expected_version=0, events=[verdict])
        await self._log.append([append], origin())


async def scans(world: Rig, stack: AsyncExitStack) -> Scans:
    log = await PostgresLog.open(names.SCANNER, world.database_url)
    stack.push_async_callback(log.close)
    relay = Relay(log, dsn=world.database_url, nats=world.client)
    stack.push_async_callback(relay.stop)
    await relay.start()
    return Scans(log)


async def requested(world: Rig, job_type: str) -> list[JobRequested]:
    return [job for job in await world.log.of(JobRequested) if job.job_type == job_type]


async def enriching(world: Rig) -> JobRequested:
    """The one."""
    await becomes(lambda: _any(world), expected=True)
    [job] = await requested(world, ENRICH)
    return job


async def _any(world: Rig) -> bool:
    return bool(await requested(world, ENRICH))


async def test_a_scan_that_found_something_sets_off_one_job_for_ever(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world, AsyncExitStack() as stack:
        scanned = await scans(world, stack)
        first = await world.scheduler(PATIENT)
        library_id = await ruled(world)
        worker = await world.worker()
        granted = await worker.claim(*(await worker.order()))
        await scanned.complete(library_id, granted.job_id, granted.lease, unenriched=3)
        job = await enriching(world)
        assert (job.job_type, job.queue, job.library_id, job.policy.priority) == (ENRICH, "enrichment", library_id, 1)
        [request] = await world.log.of(ScanRequested, granted.job_id)
        assert msgspec.json.decode(job.payload, type=EnrichPayload) == EnrichPayload(
            library_id=library_id, scan_id=granted.job_id, root=request.target.library_path
        )

        # Everything is told again.
        await first.stop()
        durable = names.reaction_durable(names.SCHEDULER)
        await world.client.jetstream().delete_consumer(names.EVENTS, durable)
        await world.scheduler(PATIENT)
        again = await worker.claim(*(await worker.order()))
        await scanned.complete(library_id, again.job_id, again.lease, unenriched=0)
        await world.log.wait_for(JobSucceeded, aggregate_id=again.job_id)
        assert await requested(world, ENRICH) == [job]
        [cleaning] = await requested(world, CLEAN_THUMBNAILS)  # one a day, however many scans there are
        assert (cleaning.queue, cleaning.triggered_by, cleaning.library_id) == ("maintenance", "Scheduler", None)
        assert msgspec.json.decode(cleaning.payload, type=CleanThumbnailsPayload) == CleanThumbnailsPayload()


async def test_scans_do_not_wait_for_it_and_it_goes_with_its_library(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world, AsyncExitStack() as stack:
        scanned = await scans(world, stack)
        await world.scheduler(PATIENT)
        library_id = await ruled(world, overlap="skip")
        worker: HandWorker = await world.worker()
        granted = await worker.claim(*(await worker.order()))
        await scanned.complete(library_id, granted.job_id, granted.lease, unenriched=1)
        job = await enriching(world)
        # The job is open, and the next tick fires all the same.
        job_id, _ = await worker.order()
        assert job_id != granted.job_id
        assert await world.log.of(JobSucceeded, job.job_id) == []

        await world.libraries.delete(library_id)
        [cancelled] = await world.log.wait_for(JobCancelled, aggregate_id=job.job_id)
        assert cancelled.reason == "library deleted"


async def test_a_scan_that_found_nothing_sets_off_nothing(nats_url: str, database_url: str) -> None:
    async with rig(nats_url, database_url) as world, AsyncExitStack() as stack:
        scanned = await scans(world, stack)
        await world.scheduler(PATIENT)
        library_id = await ruled(world)
        worker = await world.worker()
        granted = await worker.claim(*(await worker.order()))
        await scanned.complete(uuid4(), uuid4(), uuid4(), unenriched=7)  # of no job of ours
        await scanned.complete(library_id, granted.job_id, granted.lease, unenriched=0)
        await world.log.wait_for(JobSucceeded, aggregate_id=granted.job_id)
        assert await requested(world, ENRICH) == []
