"""What travels on WORK, REPORTS and core NATS between the scheduler and workers. Not events: nothing here is stored.

An order is the job's request event itself (same ce-id), with the attempt in the header `ls-attempt`. Several orders of
one queue may come in one message, as `Orders`; the header `ls-orders` says how many.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Raw

from linstock.messages.message import NOTHING, Message

MAX_REPORTS_PER_MESSAGE = 200
ORDERS_HEADER = "ls-orders"


class PlacedOrder(Message, frozen=True, array_like=True):
    """`request` is the job's request event."""

    event_id: UUID
    correlation_id: UUID
    traceparent: str | None
    attempt: int
    request: Raw


class Orders(Message, frozen=True):
    """Of one workspace and queue. The message is acked when each has been claimed or given up; what is given up is put
    again."""

    orders: tuple[PlacedOrder, ...]


class Claim(Message, frozen=True, tag="claim"):
    """May I run this attempt? The claim's `lease` is the lease's id if it is granted: asking twice is harmless.
    `device` is what it would work on, and `device_limit` how many attempts may at once; empty: it does not matter."""

    job_id: UUID
    attempt: int
    lease: UUID
    device: str = ""
    device_limit: int = 0


class Outcome(Message, frozen=True, tag="outcome"):
    """How an attempt ended. Not sent for scans: their verdict is the scanner's own event. `kinds` are the names of the
    error's class and of those it derives from, the nearest first. With `snooze_s` it has not ended: it could not do its
    work yet."""

    job_id: UUID
    attempt: int
    lease: UUID
    succeeded: bool
    result: Raw = Raw(b"{}")
    code: str = ""
    message: str = ""
    final: bool = False
    kinds: tuple[str, ...] = ()
    snooze_s: float | None = None


class Checkpoint(Message, frozen=True, tag="checkpoint"):
    """How far an attempt is: what the next one starts with, should this one not end."""

    job_id: UUID
    attempt: int
    lease: UUID
    data: Raw


class Report(Message, frozen=True):
    """Up to 200 claims, checkpoints and outcomes of one worker. Claims are answered on the core subject `reply_to`."""

    worker: str
    items: tuple[Claim | Checkpoint | Outcome, ...]
    reply_to: str | None = None


class ClaimAnswer(Message, frozen=True):
    """`granted`, or `why` not: closed | superseded | taken | not_due | paused | waits | device_busy | unknown.
    `checkpoint` is the last that an earlier attempt kept, null if none did."""

    job_id: UUID
    attempt: int
    lease: UUID
    granted: bool
    why: str = ""
    deadline: datetime | None = None
    checkpoint: Raw = NOTHING


class ClaimAnswers(Message, frozen=True):
    answers: tuple[ClaimAnswer, ...]


class Running(Message, frozen=True, array_like=True):
    job_id: UUID
    attempt: int
    lease: UUID


class SignOfLife(Message, frozen=True):
    """Every 2 s from each worker, from a thread that no handler can block. A lease without one for 7 s is over.

    `slots` is how many attempts it runs at once, and `ahead` how many more it may claim before it has one for them; in
    `running` are both. Its `queues` are those of one workspace (empty: of all), in the order of their importance; with
    `weights`, one for each, they share its slots in that proportion instead."""

    worker: str
    queues: tuple[str, ...]
    slots: int
    running: tuple[Running, ...]
    leaving: bool = False
    workspace: str = ""
    weights: tuple[int, ...] = ()
    host: str = ""
    version: str = ""
    ahead: int = 0


class StopAttempt(Message, frozen=True):
    """To a worker: this attempt no longer counts, whatever comes of it. `why` is cancelled | timed_out | lost."""

    job_id: UUID
    attempt: int
    lease: UUID
    why: str
