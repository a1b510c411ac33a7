"""Many jobs are told something at once: in their order, also when memory is behind the log."""

from uuid import UUID, uuid4

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import JobCommand, JobStarted, JobSucceeded
from services.scheduler.index import Index
from services.scheduler.known import JOB, KnownJob
from services.scheduler.verdicts import Telling, UnknownJob, Verdicts
from tests.support.jobs import start, success
from tests.support.schedules import NOON, scan_requested

ORIGIN = Origin(workspace="default", actor="w", at=NOON, correlation_id=uuid4())
FIRST, SECOND, NOBODY = UUID(int=11), UUID(int=12), UUID(int=13)


def to(job_id: UUID, command: JobCommand) -> Telling:
    return Telling(job_id=job_id, command=command, actor="w1")


async def requested(log: MemoryLog, *job_ids: UUID) -> None:
    for job_id in job_ids:
        request = scan_requested(job_id)
        await log.append([Append(aggregate="job", aggregate_id=job_id, expected_version=0, events=[request])], ORIGIN)


async def test_what_is_said_about_one_job_stays_in_order_when_memory_is_behind() -> None:
    log, index = MemoryLog("scheduler"), Index()
    await requested(log, FIRST, SECOND)
    for recorded in await log.read(0):
        index.apply(recorded)
    # Another scheduler starts the first: what is in memory is no longer true, and no append of both can succeed.
    elsewhere = Verdicts(log, Index())
    await elsewhere.tell(FIRST, start())
    told = await Verdicts(log, index).tell_all(
        [to(FIRST, success()), to(SECOND, start()), to(NOBODY, start()), to(SECOND, success())]
    )
    first, _, nobody, second = told
    assert isinstance(first, KnownJob)
    assert isinstance(nobody, UnknownJob)
    assert isinstance(second, KnownJob)
    for job_id in (FIRST, SECOND):
        events = [JOB.decode(recorded.data) for recorded in await log.load(job_id)]
        assert [type(event) for event in events[1:]] == [JobStarted, JobSucceeded]
