"""Statistics over HTTP. Days are UTC's."""

from datetime import date, datetime
from uuid import UUID

from msgspec import field

from services.api.dto.wire import Wire


class Growth(Wire):
    """How much more there is at the end than at the beginning; negative: less."""

    collections: int
    images: int
    size_bytes: int = field(name="bytes")


class ContentDay(Growth):
    day: date


class GrowthDto(Wire):
    """`days` ascend and end with today."""

    days: list[ContentDay]
    last_7_days: Growth
    last_30_days: Growth


class RunDay(Wire):
    """`runs` were asked for on this day; `successes` and `failures` ended on it."""

    day: date
    runs: int
    successes: int
    failures: int


class StatisticsDto(Wire):
    """`libraryId` is null when this is over all libraries. Collections, images and bytes are what is present. Runs are
    all that ever were, also those whose details are forgotten; `successRate` is the percentage of those that ended in
    success or failure (a cancelled one is neither), null while there is none. Of the collections so many were read for
    sizes and covers; so many files can't be."""

    library_id: UUID | None
    collections: int
    missing_collections: int
    images: int
    size_bytes: int = field(name="bytes")
    growth: GrowthDto
    runs: int
    successes: int
    failures: int
    success_rate: float | None
    run_days: list[RunDay]
    last_run_id: UUID | None
    last_run_at: datetime | None
    last_run_status: str | None
    last_error_message: str | None
    next_run_at: datetime | None
    held_removals: int
    read_collections: int
    covers: int
    quarantined_files: int
