"""The owner's answer to a command: on the caller's reply subject, and for ever in the receipt."""

from datetime import datetime
from uuid import UUID

from linstock.messages.message import Message


class Many(Message, frozen=True):
    """Of a command for many: how many are meant, how many of them it changes, and the names of the first of these."""

    matched: int
    changed: int
    names: tuple[str, ...] = ()


class Outcome(Message, frozen=True):
    """What a backfill makes of one instant: fires | fired_already | undecided. `run_id` is the run that it has then; an
    undecided one has none yet."""

    instant: datetime
    outcome: str
    run_id: UUID | None


class Undone(Message, frozen=True):
    """How many collections an undo withdraws, gives their former images, makes present and makes missing again, and how
    many it leaves alone because a later scan touched them."""

    withdrawn: int = 0
    changed: int = 0
    restored: int = 0
    missing: int = 0
    left_alone: int = 0


class Purged(Message, frozen=True):
    """How much a purge forgets: collections that had been missing since before then, and `images` that had been in
    collections that are there."""

    missing_before: datetime
    collections: int = 0
    images: int = 0


class Duplicate(Message, frozen=True):
    """Of jobs that were to be enqueued, the one at `place` (from 0) was not made: `job_id` is there already."""

    place: int
    job_id: UUID


class Answer(Message, frozen=True):
    """`status` is an HTTP status: 2xx done, 4xx refused with a stable `code` and a sentence. `id` is what the command
    made or changed; `position` (such as `library:12`) is where the effect is in its log.
    `warnings` are sentences about what was done all the same. `field` names what was wrong, as over HTTP and with /
    between its steps (`excludePatterns/1`): `detail` is then about that field. `instants` are those of a backfill,
    `duplicates` those jobs of an EnqueueJobs that are there already."""

    status: int
    id: UUID | None = None
    code: str = ""
    detail: str = ""
    position: str | None = None
    warnings: tuple[str, ...] = ()
    field: str = ""
    many: Many | None = None
    instants: tuple[Outcome, ...] = ()
    undone: Undone | None = None
    purged: Purged | None = None
    duplicates: tuple[Duplicate, ...] = ()
