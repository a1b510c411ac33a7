"""The rules of a schedule over HTTP: which instants fire, and how."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from linstock.messages.calendar import NAME_LIMIT
from linstock.messages.rules import ChangedRules, Rules, Window
from services.api.dto.wire import Body, Wire, said, whole_number
from services.api.moments import utc

# Older systems have their own words.
_ALIASES = {"Relaxed": "fire_once", "Strict": "fire_all", "Ignorable": "skip"}
OVERLAPS = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")

Misfire = Literal["fire_once", "fire_all", "skip", "Relaxed", "Strict", "Ignorable"]
Overlap = Annotated[
    str,
    Meta(
        description="While a run is open: skip (default), wait for it (one run, or up to bufferLimit), or cancel it; "
        "cancel_other gives its worker a moment to stop",
        extra_json_schema=said(enum=list(OVERLAPS)),
    ),
]
Days = Annotated[Literal["and", "or"], Meta(description="Whether day and weekday must both match, or either")]
ClockChanges = Annotated[
    Literal["cronos", "literal"],
    Meta(description="cronos: what the clocks skip fires once, at the end of the gap. literal: it does not fire"),
]
Moment = Annotated[datetime, Meta(tz=True)]


CatchupWindow = Annotated[
    float, whole_number(10, 366 * 86_400, "Instants older than this are not made up for. Default 3600")
]
CatchupLimit = Annotated[float, whole_number(1, 1000, "At most so many with fire_all. Default 100")]
BufferLimit = Annotated[float, whole_number(1, 1000, "At most so many wait with buffer_all. Default 100")]
Jitter = Annotated[float, whole_number(0, 86_400, "Each firing is later by a part of this that is always the same")]
MaxRuns = Annotated[float, whole_number(1, 1_000_000_000, "So often since it was enabled, then it disables itself")]
Failures = Annotated[float, whole_number(1, 1000, "So many in a row, and it pauses itself")]


class Excluded(Struct, frozen=True, forbid_unknown_fields=True):
    """From `first` to `last`, both included, nothing fires."""

    first: Moment
    last: Moment


Exclusions = Annotated[list[Excluded], Meta(max_length=100)]


Calendars = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT)]],
    Meta(max_length=10, description="Names of calendars, on whose days nothing fires"),
]


class RuledBody(Body, frozen=True):
    """What is not given is as it was; null takes a limit away."""

    days: Days | UnsetType = UNSET
    clock_changes: ClockChanges | UnsetType = UNSET
    misfire_policy: Misfire | UnsetType = UNSET
    catchup_window_seconds: CatchupWindow | UnsetType = UNSET
    catchup_limit: CatchupLimit | UnsetType = UNSET
    overlap_policy: Overlap | UnsetType = UNSET
    buffer_limit: BufferLimit | UnsetType = UNSET
    jitter_seconds: Jitter | UnsetType = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET
    excluded: Exclusions | UnsetType = UNSET
    max_runs: MaxRuns | UnsetType | None = UNSET
    pause_after_failures: Failures | UnsetType | None = UNSET
    calendars: Calendars | UnsetType = UNSET

    def changed_rules(self) -> ChangedRules:
        misfire = self.misfire_policy
        return ChangedRules(
            misfire=misfire if misfire is UNSET else _ALIASES.get(misfire, misfire),
            catchup_window_s=whole(self.catchup_window_seconds),
            catchup_limit=whole(self.catchup_limit),
            overlap=self.overlap_policy,
            buffer_limit=whole(self.buffer_limit),
            jitter_s=whole(self.jitter_seconds),
            starts_at=_utc(self.starts_at, "startsAt"),
            ends_at=_utc(self.ends_at, "endsAt"),
            excluded=UNSET if self.excluded is UNSET else tuple(_window(*each) for each in enumerate(self.excluded)),
            max_runs=None if self.max_runs is None else whole(self.max_runs),
            pause_after_failures=None if self.pause_after_failures is None else whole(self.pause_after_failures),
        )


class RuledDto(Wire):
    """As the bodies have them."""

    days: str
    clock_changes: str
    misfire_policy: str
    catchup_window_seconds: int
    catchup_limit: int
    overlap_policy: str
    buffer_limit: int
    jitter_seconds: int
    starts_at: datetime | None
    ends_at: datetime | None
    excluded: list[Excluded]
    max_runs: int | None
    pause_after_failures: int | None
    calendars: list[str]


def shown(rules: Rules) -> dict[str, Any]:
    """The fields of a RuledDto that are rules."""
    return {
        "misfire_policy": rules.misfire,
        "catchup_window_seconds": rules.catchup_window_s,
        "catchup_limit": rules.catchup_limit,
        "overlap_policy": rules.overlap,
        "buffer_limit": rules.buffer_limit,
        "jitter_seconds": rules.jitter_s,
        "starts_at": rules.starts_at,
        "ends_at": rules.ends_at,
        "excluded": [Excluded(first=each.first, last=each.last) for each in rules.excluded],
        "max_runs": rules.max_runs,
        "pause_after_failures": rules.pause_after_failures,
        "calendars": [copy.name for copy in rules.calendars],
    }


def whole(number: float | UnsetType) -> int | UnsetType:
    return UNSET if isinstance(number, UnsetType) else int(number)


def _utc(moment: datetime | UnsetType | None, field: str) -> datetime | UnsetType | None:
    return utc(moment, field) if isinstance(moment, datetime) else moment


def _window(number: int, given: Excluded) -> Window:
    where = ("excluded", str(number))
    return Window(first=utc(given.first, *where, "first"), last=utc(given.last, *where, "last"))
