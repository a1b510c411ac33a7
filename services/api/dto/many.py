"""What many schedules are told at once, over HTTP."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from services.api.dto.schedule_bodies import Reason
from services.api.dto.schedule_rules import Moment
from services.api.dto.wire import Body, Wire

MOST = 5_000

Ids = Annotated[list[UUID], Meta(max_length=MOST)]
Part = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Part of the name, the description or the library's name, whatever its case",
    ),
]


class ResumeManyBody(Body, frozen=True):
    """Those that all of `ids`, `libraryId` and `text` say, as far as they are given; or `all`. At most 5,000.
    `dryRun`: only say which."""

    ids: Ids | UnsetType = UNSET
    library_id: UUID | UnsetType = UNSET
    text: Part | UnsetType = UNSET
    everything: bool = field(default=False, name="all")
    dry_run: bool = False


class PauseManyBody(ResumeManyBody, frozen=True):
    """Until `resumeAt`, or until somebody resumes them."""

    reason: Reason = ""
    resume_at: Moment | None = None


class ManyDto(Wire):
    """`matched` are meant, `changed` of them are, or with `dryRun` would be, changed: the others are disabled or so
    already. `names` are the first ten of these."""

    matched: int
    changed: int
    names: list[str]
    dry_run: bool
