"""What applications want done: many jobs in one command."""

from datetime import datetime

from msgspec import Raw

from linstock.messages.job import After
from linstock.messages.message import Message
from linstock.messages.schedule import JobPolicy

MOST_JOBS = 500
"""In one command."""
PAYLOAD_LIMIT_BYTES = 256 * 1024
COMMAND_LIMIT_BYTES = 768 * 1024
"""Of a command, encoded: a few large payloads fill it before there are 500."""
DEFAULT_QUEUE = "default"


class Unique(Message, frozen=True):
    """At most one job with this key: for `period_s` seconds from when it was asked for, or (None) until it has
    ended. A request that comes meanwhile makes no job; it is told which one there is."""

    key: str
    period_s: float | None = None


class WantedJob(Message, frozen=True):
    """As `JobRequested`. `delay_s` counts from when the scheduler takes the command, by its clock; `not_before` is an
    instant. With both, the later counts."""

    job_type: str
    payload: Raw = Raw(b"{}")
    payload_version: int = 1
    queue: str = DEFAULT_QUEUE
    policy: JobPolicy = JobPolicy()
    name: str = ""
    delay_s: float = 0.0
    not_before: datetime | None = None
    after: tuple[After, ...] = ()
    unique: Unique | None = None


class EnqueueJobs(Message, frozen=True, tag="EnqueueJobs"):
    """All of them, or none. The id of each follows from the command's and its place in it (`names.job_of_command`)."""

    jobs: tuple[WantedJob, ...]
