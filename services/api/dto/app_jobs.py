"""Jobs of applications over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, Raw, UnsetType, field

from services.api.dto.wire import Body, Page, Wire, said, whole_number

JobStatus = Literal["Pending", "Scheduled", "Running", "Retrying", "Completed", "Failed", "Timeout", "Cancelled"]
Filed = Literal["dead", "hidden"]

JobTypeName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="Words of letters, digits, - and _ with . between them",
        extra_json_schema=said(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"),
    ),
]
QueueName = Annotated[str, Meta(min_length=1, max_length=63, extra_json_schema=said(pattern="^[a-z0-9][a-z0-9_-]*$"))]
Object = Annotated[dict[str, Any], Meta(extra_json_schema=said(type=OpenAPIType.OBJECT))]
Key = Annotated[str, Meta(min_length=1, max_length=200)]


class JobProgressDto(Wire):
    """What the running attempt says of itself: the part that it is at, and how much of that and of the whole is done, 0
    to 1."""

    stage: str
    stage_fraction: float
    fraction: float
    message: str


class JobWaitingDto(Wire):
    """Why a job does not start yet. `time`: not before `until`. `jobs`: `jobIds` have to end first. `nobody`: no worker
    serves its queue. `worker`: `workers` do, and are busy with what is more urgent or came earlier."""

    reason: Literal["time", "jobs", "nobody", "worker"]
    job_ids: list[UUID]
    workers: int
    until: datetime | None = None


class JobDto(Wire):
    """A job as a list shows it. `due` says from when on it waits for a worker. `attempt` is the last that started;
    `retries` of them followed a failure. `filed`: it has failed for good and is kept apart. What `retriedAs` names
    does its work again; `retryOf` is the other way."""

    id: UUID
    job_type: str
    name: str
    queue: str
    status: JobStatus
    attempt: int
    retries: int
    priority: int
    requested_at: datetime
    requested_by: str
    triggered_by: str
    due: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    duration: int | None
    worker: str | None
    error_code: str | None
    error_message: str | None
    retry_of: UUID | None
    retried_as: UUID | None
    filed: Filed | None


class JobDetailsDto(JobDto):
    """`parameters` are of the type's version `parametersVersion`; `result` is what it returned. `deadline` is when the
    running attempt times out."""

    parameters: Raw
    parameters_version: int
    result: Raw
    timeout_seconds: int
    max_retries: int
    unique_key: str | None
    attempt_started_at: datetime | None
    deadline: datetime | None
    waiting_for: JobWaitingDto | None = None
    progress: JobProgressDto | None = None


JobPage = Annotated[Page[JobDto], BodyKwarg(schema_component_key="JobPage")]


class QueueDto(Wire):
    """`workers` serve it now, with `slots`, and have `running` jobs of all their queues in hand."""

    queue: str
    workers: int
    slots: int
    running: int
    counts: dict[str, int]


class QueuesDto(Wire):
    """Queues that have had jobs, or have workers."""

    data: list[QueueDto]


class WorkerDto(Wire):
    """`queues` come in the order of their importance, or with `weights`. It runs up to `slots` jobs at once; `running`
    are those it has in hand, with the short ones it has claimed ahead. It is gone when nothing was heard of it for some
    seconds."""

    name: str
    host: str
    version: str
    queues: list[str]
    weights: list[int]
    slots: int
    running: list[UUID]
    leaving: bool
    heard_at: datetime


class WorkersDto(Wire):
    """Those that were heard of within the last seconds, the built-in ones included."""

    data: list[WorkerDto]


class EnqueueBody(Body, frozen=True):
    """A job to be run. `parameters` must fit the job's function; only a worker can say whether they do. It does not
    start before `delaySeconds` have passed, nor before `notBefore`. With `uniqueKey` there is at most one with this key
    at a time: until it has ended, or for `uniqueForSeconds`."""

    job_type: JobTypeName
    parameters: Object = field(default_factory=dict)
    parameters_version: Annotated[int, whole_number(1, 1_000_000, "Of the job type's parameters")] = 1
    queue: QueueName = "default"
    priority: Annotated[int, whole_number(1, 10, "The more urgent the higher")] = 5
    timeout_seconds: Annotated[int, whole_number(1, 604_800, "Of each attempt")] = 3600
    max_retries: Annotated[int, whole_number(0, 1000, "After the first attempt")] = 3
    name: Annotated[str, Meta(max_length=200)] = ""
    delay_seconds: Annotated[float, Meta(ge=0, le=316_224_000)] = 0.0
    not_before: datetime | UnsetType = UNSET
    unique_key: Key | UnsetType = UNSET
    unique_for_seconds: Annotated[float, Meta(ge=1, le=316_224_000)] | UnsetType = UNSET


class JobEnqueuedDto(Wire):
    """`duplicate`: there was one with this unique key already, and this is its id."""

    id: UUID
    duplicate: bool = False


class JobReasonBody(Body, frozen=True):
    """Kept with the job."""

    reason: Annotated[str, Meta(max_length=500)] = ""
