"""Keeping house, over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar.params import BodyKwarg

from services.api.dto.wire import Body, Wire


class CleaningBody(Body, frozen=True):
    """`dryRun`: only say what would go."""

    dry_run: bool = False


class CleaningStartedDto(Wire):
    """`id` is the run's. Once it has ended, its result says how many `objects` and `bytes` went (of a dry run: would),
    how many `young` ones stay for an hour and how many are in use (`kept`); `hashes` are the first covers that went."""

    id: UUID
    dry_run: bool


# Exactly this, so that it is told apart from an operation.
CleaningStarted = Annotated[CleaningStartedDto, BodyKwarg(schema_extra={"additional_properties": False})]
