"""What travels on WORK, REPORTS and core NATS between the scheduler and workers. Not events: nothing here is stored.

An order is the job's request event itself (same ce-id), with the attempt in the header `ls-attempt`.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Raw

from linstock.messages.message import Message

MAX_REPORTS_PER_MESSAGE = 200


class Claim(Message, frozen=True, tag="claim"):
    """May I run this attempt? The claim's `lease` is the lease's id if it is granted: asking twice is harmless.
    `device` is what it would work on, and `device_limit` how many attempts may at once; empty: it does not matter."""

    job_id: UUID
    attempt: int
    lease: UUID
    device: str = ""
    device_limit: int = 0


class Outcome(Message, frozen=True, tag="outcome"):
    """How an attempt ended. Not sent for scans: their verdict is the scanner's own event."""

    job_id: UUID
    attempt: int
    lease: UUID
    succeeded: bool
    result: Raw = Raw(b"{}")
    code: str = ""
    message: str = ""
    final: bool = False


class Report(Message, frozen=True):
    """Up to 200 claims and outcomes of one worker. Claims are answered on the core subject `reply_to`."""

    worker: str
    items: tuple[Claim | Outcome, ...]
    reply_to: str | None = None


class ClaimAnswer(Message, frozen=True):
    """`granted`, or `why` not: closed | superseded | taken | not_due | paused | device_busy | unknown."""

    job_id: UUID
    attempt: int
    lease: UUID
    granted: bool
    why: str = ""
    deadline: datetime | None = None


class ClaimAnswers(Message, frozen=True):
    answers: tuple[ClaimAnswer, ...]


class Running(Message, frozen=True, array_like=True):
    job_id: UUID
    attempt: int
    lease: UUID


class SignOfLife(Message, frozen=True):
    """Every 2 s from each worker, from a thread that no handler can block. A lease without one for 7 s is over."""

    worker: str
    queues: tuple[str, ...]
    slots: int
    running: tuple[Running, ...]
    leaving: bool = False
