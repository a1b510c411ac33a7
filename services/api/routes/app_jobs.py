"""Jobs of applications, their queues and workers, under /api/v1"""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter
from msgspec import Raw, UnsetType
from msgspec.structs import replace

from linstock import names
from linstock.bus.commands import Pending
from linstock.messages.enqueue import EnqueueJobs, Unique, WantedJob
from linstock.messages.job import CancelRun, RetryRun
from linstock.messages.schedule import JobPolicy
from services.api import answers, commands
from services.api.commands import Key
from services.api.context import Asked, Context, Fresh, Id, Shared
from services.api.dto.app_jobs import (
    EnqueueBody,
    JobDetailsDto,
    JobEnqueuedDto,
    JobPage,
    JobProgressDto,
    JobReasonBody,
    JobStatus,
    QueueDto,
    QueuesDto,
    WorkerDto,
    WorkersDto,
)
from services.api.dto.operations import OperationDto
from services.api.dto.wire import Taken
from services.api.filters import words
from services.api.paging import PAGED, Wanted
from services.api.problems import not_found
from services.api.queries import app_jobs
from services.api.queries.app_jobs import WantedJobs
from services.api.routes.triggers import ASKED_FOR

NO_REASON = JobReasonBody()
NAMED = {"one_of": None, "type": "string"}


@get("/jobs", dependencies=PAGED, responses=answers.reading(422))
async def list_jobs(
    window: Wanted,
    fresh: Fresh,
    status: Annotated[JobStatus | None, QueryParameter(schema_extra=words(JobStatus))] = None,
    job_type: Annotated[str | None, QueryParameter(name="jobType", max_length=100, schema_extra=NAMED)] = None,
    queue: Annotated[str | None, QueryParameter(max_length=63, schema_extra=NAMED)] = None,
) -> JobPage:
    """Jobs of applications, the newest first. Runs of schedules and scans are at /runs."""
    return await app_jobs.page(fresh.pool, fresh.workspace, WantedJobs(status, job_type, queue), window)


@get("/jobs/{job_id:uuid}", responses=answers.reading(404))
async def get_job(job_id: Id, fresh: Fresh) -> JobDetailsDto:
    """One job: its parameters, how it stands, how far it is, and why it is not further."""
    return await _shown(fresh, job_id)


@post(
    "/jobs",
    status_code=202,
    responses=answers.problems(body=True),
    response_description=ASKED_FOR,
    response_headers=[answers.LOCATION, answers.POSITION],
)
async def enqueue_job(
    data: Taken[EnqueueBody], request: Asked, context: Shared, key: Key = None
) -> Response[JobEnqueuedDto | OperationDto]:
    """Have a job run as soon as a worker that serves its queue is free. Applications have a client for this, which
    knows the parameters of each type."""
    command = EnqueueJobs(jobs=(_wanted(data),))
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/jobs/{done.answer.id}"}
    enqueued = JobEnqueuedDto(id=done.answer.id, duplicate=bool(done.answer.duplicates))
    return Response(enqueued, status_code=202, headers=headers)


@post(
    "/jobs/{job_id:uuid}/cancel",
    status_code=200,
    responses=answers.command(404, 409, body=True),
    response_headers=[answers.POSITION],
    operation_class=answers.BodyOptional,
)
async def cancel_job(
    job_id: Id, request: Asked, context: Shared, data: Taken[JobReasonBody] = NO_REASON, key: Key = None
) -> Response[JobDetailsDto]:
    """End a job, whether it runs or waits. 409 when it has ended already."""
    command = CancelRun(job_id=job_id, reason=data.reason)
    done = await commands.send(request, context, names.SCHEDULER, command, key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    job = await app_jobs.one(context.pool, context.workspace, job_id) if done.shown else None
    return Response(job, headers=done.headers) if job else commands.done_unseen(done)


@post(
    "/jobs/{job_id:uuid}/retry",
    status_code=202,
    responses=answers.problems(404, 409),
    response_description=ASKED_FOR,
    response_headers=[answers.LOCATION, answers.POSITION],
)
async def retry_job(
    job_id: Id, request: Asked, context: Shared, key: Key = None
) -> Response[JobEnqueuedDto | OperationDto]:
    """Do the work of a job that has failed, timed out or was cancelled again, as a job of its own. Asked twice, it is
    the same job. 409 for others."""
    done = await commands.send(request, context, names.SCHEDULER, RetryRun(job_id=job_id), key=key)
    if isinstance(done, Pending):
        return commands.later(done)
    assert done.answer.id
    headers = {**done.headers, "Location": f"/api/v1/jobs/{done.answer.id}"}
    return Response(JobEnqueuedDto(id=done.answer.id), status_code=202, headers=headers)


@get("/queues", responses=answers.reading())
async def list_queues(fresh: Fresh) -> QueuesDto:
    """Queues of applications: how many jobs there are of each status, and who serves them."""
    counted = await app_jobs.counts(fresh.pool, fresh.workspace)
    workers = fresh.heard.workers(fresh.workspace)
    served = {queue for worker in workers for queue in worker.queues if queue not in names.BUILT_IN_QUEUES}
    return QueuesDto(data=[_queue(fresh, queue, counted.get(queue, {})) for queue in sorted(served | set(counted))])


@get("/workers", responses=answers.reading())
async def list_workers(fresh: Fresh) -> WorkersDto:
    """Workers that were heard of within the last seconds."""
    return WorkersDto(
        data=[
            WorkerDto(
                name=worker.worker,
                host=worker.host,
                version=worker.version,
                queues=list(worker.queues),
                weights=list(worker.weights),
                slots=worker.slots,
                running=[each.job_id for each in worker.running],
                leaving=worker.leaving,
                heard_at=fresh.heard.heard_at(worker.worker),
            )
            for worker in fresh.heard.workers(fresh.workspace)
        ]
    )


async def _shown(context: Context, job_id: Id) -> JobDetailsDto:
    job = await app_jobs.one(context.pool, context.workspace, job_id)
    if job is None:
        raise not_found("job", job_id)
    job.waiting_for = await app_jobs.why(context.pool, context.heard, context.workspace, job_id)
    said = context.heard.of_job(context.workspace, job_id) if job.status == "Running" else None
    if said and said.attempt == job.attempt:
        job.progress = JobProgressDto(
            stage=said.stage, stage_fraction=said.stage_fraction, fraction=said.fraction, message=said.message
        )
    return job


def _queue(context: Context, queue: str, counted: dict[str, int]) -> QueueDto:
    serving = context.heard.serving(context.workspace, queue)
    return QueueDto(
        queue=queue,
        workers=len(serving),
        slots=sum(worker.slots for worker in serving),
        running=sum(len(worker.running) for worker in serving),
        counts=counted,
    )


def _wanted(body: EnqueueBody) -> WantedJob:
    policy = JobPolicy(priority=body.priority, timeout_s=body.timeout_seconds, max_retries=body.max_retries)
    wanted = WantedJob(
        job_type=body.job_type,
        payload=Raw(msgspec.json.encode(body.parameters)),
        payload_version=body.parameters_version,
        queue=body.queue,
        policy=policy,
        name=body.name,
        delay_s=body.delay_seconds,
        not_before=None if isinstance(body.not_before, UnsetType) else body.not_before,
    )
    if isinstance(body.unique_key, UnsetType):
        return wanted
    for_s = None if isinstance(body.unique_for_seconds, UnsetType) else body.unique_for_seconds
    return replace(wanted, unique=Unique(key=body.unique_key, period_s=for_s))


HANDLERS = (list_jobs, get_job, enqueue_job, cancel_job, retry_job, list_queues, list_workers)
