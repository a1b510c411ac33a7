"""Orders, claims, leases and verdicts on real servers, with a worker that the test plays."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.eventlog.relay import Relay
from linstock.messages.answer import Answer
from linstock.messages.job import (
    CancelRun,
    JobCancelled,
    JobDeferred,
    JobFailed,
    JobPaused,
    JobResumed,
    JobRetryScheduled,
    JobStarted,
    JobSucceeded,
    JobTimedOut,
    OutcomeIgnored,
    PauseRun,
    ResumeRun,
    ScanRequested,
)
from linstock.messages.scan import Counts, ScanCompleted, ScanFailed
from linstock.messages.schedule import JobPolicy, ScheduleDefined
from linstock.messages.schedule_commands import RequestScan
from linstock.messages.work import Report
from services.scheduler.app import Limits
from tests.support.scheduler import QUICK, Rig, origin, rig
from tests.support.schedules import NOON, scan_requested, settings
from tests.support.waiting import becomes

PATIENT = Limits(lease_timeout_s=60, again_after_s=0.5)
AT_ONCE = JobPolicy(max_retries=2, retry_delays_s=(0,))


@pytest.fixture
async def world(nats_url: str, database_url: str) -> AsyncIterator[Rig]:
    async with rig(nats_url, database_url) as made:
        yield made


async def requested(world: Rig, *, policy: JobPolicy = AT_ONCE) -> UUID:
    """A scan that somebody asked for."""
    job_id = uuid4()
    request = scan_requested(job_id, library_id=uuid4(), at=NOON, policy=policy)
    append = Append(aggregate="job", aggregate_id=job_id, expected_version=0, events=[request])
    await world.log.append([append])
    return job_id


async def test_an_order_is_claimed_run_and_succeeds(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world)
    worker = await world.worker()
    assert await worker.order() == (job_id, 1)
    answer = await worker.claim(job_id)
    [started] = await world.log.of(JobStarted)
    assert answer.granted
    assert (started.lease, started.deadline) == (answer.lease, answer.deadline)
    assert answer.deadline == started.at + timedelta(seconds=AT_ONCE.timeout_s)
    await worker.report(answer)
    await worker.report(answer)
    await world.log.wait_for(JobSucceeded)
    assert await world.log.of(OutcomeIgnored) == []


async def test_a_claim_is_answered_the_same_twice_and_refused_to_others(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world)
    worker, rival = await world.worker(), await world.worker("rival")
    lease = uuid4()
    assert (await worker.claim(job_id, lease=lease)).granted
    assert (await worker.claim(job_id, lease=lease)).granted
    assert (await rival.claim(job_id)).why == "taken"
    assert (await rival.claim(job_id, 2)).why == "superseded"
    assert (await rival.claim(uuid4())).why == "unknown"
    assert len(await world.log.of(JobStarted)) == 1


async def test_a_failure_is_retried_and_the_last_one_is_final(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world)
    worker = await world.worker()
    for attempt in (1, 2, 3):
        assert await worker.order() == (job_id, attempt)
        await worker.report(await worker.claim(job_id, attempt), succeeded=False)
    [failed] = await world.log.wait_for(JobFailed)
    assert (failed.attempt, failed.code) == (3, "broken")
    assert (await worker.claim(job_id, 3)).why == "closed"


async def test_a_retry_that_is_not_due_is_neither_ordered_nor_granted(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world, policy=JobPolicy(retry_delays_s=(3600,)))
    worker = await world.worker()
    await worker.order()
    await worker.report(await worker.claim(job_id), succeeded=False)
    await world.log.wait_for(JobRetryScheduled)
    assert (await worker.claim(job_id, 2)).why == "not_due"
    other = await requested(world)
    assert await worker.order() == (other, 1)


async def test_a_worker_that_falls_silent_loses_its_lease_and_the_job_runs_again(world: Rig) -> None:
    await world.scheduler(QUICK)
    job_id = await requested(world)
    dying = await world.worker("dying")
    await dying.order()
    lost = await dying.claim(job_id)
    [retry] = await world.log.wait_for(JobRetryScheduled)
    assert (retry.code, retry.next_attempt) == ("lease_lost", 2)
    assert retry.due == retry.at
    heir = await world.worker("heir")
    assert await heir.order() == (job_id, 2)
    granted = await heir.claim(job_id, 2)
    await dying.report(lost)  # it was only slow
    [ignored] = await world.log.wait_for(OutcomeIgnored)
    assert (ignored.attempt, ignored.lease) == (1, lost.lease)
    await heir.report(granted)
    [succeeded] = await world.log.wait_for(JobSucceeded)
    assert succeeded.attempt == 2


async def test_an_attempt_past_its_deadline_ends_the_job(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world, policy=JobPolicy(timeout_s=1))
    worker = await world.worker()
    await worker.claim(job_id)
    [timed_out] = await world.log.wait_for(JobTimedOut)
    assert timed_out.attempt == 1


async def test_an_order_that_nobody_claims_although_somebody_could_is_put_again(world: Rig) -> None:
    await world.scheduler(PATIENT)
    job_id = await requested(world)
    worker = await world.worker()
    assert await worker.order() == (job_id, 1)  # and loses it
    assert await worker.order() == (job_id, 1)


async def test_the_most_urgent_of_what_waits_is_ordered_first(world: Rig) -> None:
    by_priority = {p: await requested(world, policy=JobPolicy(priority=p)) for p in (1, 5, 9, 3, 7, 2, 8)}
    await world.scheduler(PATIENT)
    worker = await world.worker(slots=1)
    ordered = [(await worker.order())[0] for _ in range(4)]
    assert ordered == [by_priority[p] for p in (9, 8, 7, 5)]


async def test_a_scheduler_that_starts_finds_the_open_jobs_and_judges_no_lease_at_once(world: Rig) -> None:
    first = await world.scheduler(QUICK)
    claimed, waiting = await requested(world), await requested(world)
    worker = await world.worker()
    granted = await worker.claim(claimed)
    await first.stop()
    await world.scheduler(PATIENT)
    await worker.report(granted)
    [succeeded] = await world.log.wait_for(JobSucceeded)
    assert succeeded.job_id == claimed
    assert (await worker.claim(waiting)).granted
    assert await world.log.of(JobRetryScheduled) == []


async def test_a_report_that_cannot_be_read_goes_to_the_dlq_with_the_reason(world: Rig) -> None:
    await world.scheduler(PATIENT)
    js = world.client.jetstream()
    subject = names.report_subject("default", names.SCAN_QUEUE)
    await js.publish(subject, b"{not json", stream=names.REPORTS)
    steered = Report(worker="w", items=(), reply_to="cmd.library.default.DeleteLibrary.x")
    await js.publish(subject, msgspec.json.encode(steered), stream=names.REPORTS)
    buried = await js.pull_subscribe(names.ALL_DLQ, stream=names.DLQ)
    reasons: list[str] = []
    while len(reasons) < 2:
        for message in await buried.fetch(1, timeout=10):
            assert message.headers
            reasons.append(message.headers["ls-dlq-reason"])
    assert any("JSON" in reason for reason in reasons)
    assert any("not an inbox" in reason for reason in reasons)


async def test_a_scans_own_verdict_closes_its_job(world: Rig) -> None:
    await world.scheduler(PATIENT)
    worker = await world.worker()
    good, bad = await requested(world), await requested(world)
    granted = {job_id: await worker.claim(job_id) for job_id in (good, bad)}
    completed = ScanCompleted(
        scan_id=good,
        library_id=uuid4(),
        attempt=1,
        lease=granted[good].lease,
        counts=Counts(collections=3),
        duration_ms=5,
        held=0,
        at=NOON,
    )
    failed = ScanFailed(
        scan_id=bad,
        library_id=uuid4(),
        attempt=1,
        lease=granted[bad].lease,
        code="root_missing",
        message="/photos is not there",
        final=True,
        at=NOON,
    )
    scanner = await PostgresLog.open(names.SCANNER, world.database_url)
    relay = Relay(scanner, dsn=world.database_url, nats=world.client)
    try:
        await relay.start()
        for verdict in (completed, failed):
            append = Append(aggregate="scan", aggregate_id=verdict.scan_id, expected_version=0, events=[verdict])
            await scanner.append([append], origin())
        [succeeded] = await world.log.wait_for(JobSucceeded)
        [closed] = await world.log.wait_for(JobFailed)
    finally:
        await relay.stop()
        await scanner.close()
    assert msgspec.json.decode(succeeded.result)["counts"]["collections"] == 3
    assert (closed.job_id, closed.code, closed.attempt) == (bad, "root_missing", 1)


async def sent(sender: CommandSender, command: RequestScan | CancelRun | PauseRun | ResumeRun) -> Answer:
    answer = await sender.send(names.SCHEDULER, "default", command, actor="somebody", wait_s=8)
    assert isinstance(answer, Answer)
    return answer


async def test_a_scan_on_demand_runs_once_at_a_time_and_can_be_cancelled(world: Rig) -> None:
    await world.scheduler(PATIENT)
    sender = CommandSender(world.client)
    await sender.start()
    library_id = await world.libraries.create(settings(auto_scan=False))
    await world.log.wait_for(ScheduleDefined)
    accepted = await sent(sender, RequestScan(library_id=library_id))
    assert accepted.status == 202
    [scan] = await world.log.of(ScanRequested)
    assert (scan.job_id, scan.triggered_by, scan.instant) == (accepted.id, "API", None)
    second = await sent(sender, RequestScan(library_id=library_id))
    assert (second.status, second.code) == (409, "scan-already-open")
    assert str(scan.job_id) in second.detail

    cancelled = await sent(sender, CancelRun(job_id=scan.job_id, reason="changed my mind"))
    assert cancelled.status == 200
    [event] = await world.log.of(JobCancelled)
    assert event.at > NOON  # the caller's clock says nothing
    worker = await world.worker()
    assert (await worker.claim(scan.job_id)).why == "closed"
    again = await sent(sender, CancelRun(job_id=uuid4()))
    assert (again.status, again.code) == (404, "run-not-found")


async def test_a_paused_scan_is_claimed_by_nobody_and_stays_the_one_of_its_library(world: Rig) -> None:
    await world.scheduler(PATIENT)
    sender = CommandSender(world.client)
    await sender.start()
    library_id = await world.libraries.create(settings(auto_scan=False))
    await world.log.wait_for(ScheduleDefined)
    scan = (await sent(sender, RequestScan(library_id=library_id))).id
    assert scan
    worker = await world.worker()
    assert (await worker.claim(scan)).granted
    for _ in range(2):
        assert (await sent(sender, PauseRun(job_id=scan, reason="film"))).status == 200
    assert [(each.attempt, each.next_attempt) for each in await world.log.of(JobPaused)] == [(1, 2)]
    assert (await worker.claim(scan, attempt=2)).why == "paused"
    assert (await sent(sender, RequestScan(library_id=library_id))).code == "scan-already-open"
    assert (await sent(sender, ResumeRun(job_id=scan))).status == 200
    await world.log.wait_for(JobResumed)
    while await worker.order() != (scan, 2):
        pass  # the order of the first attempt may still be there
    assert (await worker.claim(scan, attempt=2)).granted
    unknown = await sent(sender, PauseRun(job_id=uuid4()))
    assert (unknown.status, unknown.code) == (404, "run-not-found")


async def test_scans_of_one_disk_wait_for_each_other_and_the_oldest_comes_first(world: Rig) -> None:
    await world.scheduler(PATIENT)
    sender = CommandSender(world.client)
    await sender.start()
    scans: list[UUID] = []
    for number in range(4):
        library_id = await world.libraries.create(settings(auto_scan=False), library_id=UUID(int=100 + number))
        await world.log.wait_for(ScheduleDefined, count=number + 1)
        accepted = await sent(sender, RequestScan(library_id=library_id))
        assert accepted.id
        scans.append(accepted.id)
    worker = await world.worker(slots=4)
    first, second, third, elsewhere = scans
    assert (await worker.claim(first, device="nas/sda", limit=1)).granted
    for waiting in (third, second, second):
        assert (await worker.claim(waiting, device="nas/sda", limit=1)).why == "device_busy"
    assert (await worker.claim(elsewhere, device="nas/sdb", limit=1)).granted
    deferred = await world.log.of(JobDeferred)
    assert [(each.job_id, each.device, each.limit) for each in deferred] == [
        (third, "nas/sda", 1),
        (second, "nas/sda", 1),
    ]
    await sent(sender, CancelRun(job_id=first))

    async def why(scan: UUID) -> str:
        return (await worker.claim(scan, device="nas/sda", limit=1)).why

    assert await why(third) == "device_busy"
    await becomes(lambda: why(second), "")
    assert await why(third) == "device_busy"


async def test_an_order_comes_again_as_soon_as_its_disk_has_room(world: Rig) -> None:
    """JetStream, which takes no order twice within two minutes, must not take it for the one that was sent away."""
    await world.scheduler(Limits(lease_timeout_s=60, again_after_s=60))
    sender = CommandSender(world.client)
    await sender.start()
    scans: list[UUID] = []
    for number in range(2):
        library_id = await world.libraries.create(settings(auto_scan=False), library_id=UUID(int=100 + number))
        await world.log.wait_for(ScheduleDefined, count=number + 1)
        accepted = await sent(sender, RequestScan(library_id=library_id))
        assert accepted.id
        scans.append(accepted.id)
    worker = await world.worker(slots=4)
    first, second = scans
    assert {await worker.order(), await worker.order()} == {(first, 1), (second, 1)}
    assert (await worker.claim(first, device="nas/sda", limit=1)).granted
    assert (await worker.claim(second, device="nas/sda", limit=1)).why == "device_busy"
    await sent(sender, CancelRun(job_id=first))
    assert await worker.order() == (second, 1)
    assert (await worker.claim(second, device="nas/sda", limit=1)).granted


async def test_a_scan_of_a_library_that_nobody_knows_is_not_found(world: Rig) -> None:
    await world.scheduler(PATIENT)
    sender = CommandSender(world.client)
    await sender.start()
    unknown = await sent(sender, RequestScan(library_id=uuid4()))
    assert unknown.status == 404
