"""What applications ask about jobs over core NATS, and what they are told: from the read models, by the api."""

from datetime import datetime
from uuid import UUID

from msgspec import Raw

from linstock.messages.message import NOTHING, Message

MOST_ASKED = 500
LONGEST_WAIT_S = 20.0


class JobsAsked(Message, frozen=True):
    """About up to 500 jobs. With `wait_s` (at most 20) the answer comes when all of them have ended, or then.
    `position` (`scheduler:900`): not before that is reflected, or after 2 s."""

    ids: tuple[UUID, ...]
    wait_s: float = 0.0
    position: str | None = None


class JobTold(Message, frozen=True):
    """How a job stands. `status` is Pending | Scheduled | Running | Retrying | Completed | Failed | Timeout |
    Cancelled. `code` and `message` are those of its last failure; `result` is the JSON that it returned."""

    job_id: UUID
    job_type: str
    name: str
    queue: str
    status: str
    attempt: int
    requested_at: datetime
    due: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    result: Raw = NOTHING
    worker: str | None = None


class JobsTold(Message, frozen=True):
    """Those that are known, in no order. `problem`: why nothing can be told."""

    jobs: tuple[JobTold, ...] = ()
    problem: str = ""
