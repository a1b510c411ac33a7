"""What a backfill makes of each instant, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg

from services.api.dto.wire import Wire

Outcome = Literal["fires", "fired_already", "undecided"]


class BackfilledInstantDto(Wire):
    """`fires`: it gets the run `runId` (of a dry run: it would). `fired_already`: it had that run before. `undecided`:
    whether it fires is not decided yet, so it is left alone."""

    instant: datetime
    outcome: Outcome
    run_id: UUID | None


class BackfillDto(Wire):
    """The oldest instant first, and how many there are of each kind."""

    scheduled_job_id: UUID
    dry_run: bool
    fires: int
    fired_already: int
    undecided: int
    data: list[BackfilledInstantDto]


# Exactly this, so that it is told apart from an operation.
ScheduledJobBackfill = Annotated[BackfillDto, BodyKwarg(schema_extra={"additional_properties": False})]
