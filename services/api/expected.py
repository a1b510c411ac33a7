"""Which instants a schedule is expected at, and what is known of one that has no verdict. Pure: the caller says what is
stored, and what time it is."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from linstock import cron, recurrence
from linstock.messages.rules import Rules, Timing
from services.api.dto.ticks import AskedInstantDto, BackfilledTickDto, State, Upcoming, UpcomingTickDto
from services.api.reasons import of_backfilled, utc

T = TypeVar("T")

FEW = 5
MOMENT = timedelta(microseconds=1)

AHEAD = "It is still ahead."
OFF = "The schedule is {off}: it does not fire unless that ends before."
PASSED_OFF = "The schedule is {off}: what passes until that ends does not fire."
DUE = "It was due and is not decided yet: no scheduler could act so far."
OUTSIDE = "It lies outside the times at which the schedule may fire."
LOST = "The clocks skip its wall time, or show it a second time: it does not fire."
MOVED = "The clocks skip its wall time: what it stands for is at the end of the gap, {at}."
ENDED = "The schedule ended on {at}."
EXCLUDED = "Calendar '{calendar}' excludes it."
FORGOTTEN = "It is so long ago that its verdict is no longer kept."
NOT_YET = "The schedule was not there yet: it was made on {at} by {by}."
UNRECORDED = "Nothing is noted about it: the schedule was disabled, deleted or changed before it was decided."


class Version(Struct, frozen=True):
    """One version of a schedule's rules. Instants up to `cursor` are not its."""

    number: int
    timing: Timing
    rules: Rules
    cursor: datetime
    made_at: datetime
    made_by: str
    deleted_at: datetime | None = None
    deleted_by: str | None = None

    def expects(self, at: datetime) -> bool:
        """Whether there is a verdict about it, sooner or later."""
        return self.comes_to(at) or self.loses(at)

    def comes_to(self, at: datetime) -> bool:
        return self.following(at - MOMENT) == at

    def loses(self, at: datetime) -> bool:
        """Whether the clocks take it away."""
        lost = _understood(lambda: at in recurrence.dropped(self.timing, at - MOMENT, at))
        return bool(lost) and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        return self.rules.ends_at is not None and at > self.rules.ends_at

    def moved_to(self, at: datetime) -> datetime | None:
        """Where the gap ends, if that is where this wall time fires."""
        return _understood(lambda: recurrence.moved_to(self.timing, at))

    def following(self, after: datetime) -> datetime | None:
        """None when there is none before its end, or what is stored can't be understood."""
        found = _understood(lambda: recurrence.following(self.timing, after))
        return None if found is None or self.is_over(found) else found


def _understood(found: Callable[[], T]) -> T | None:
    try:
        return found()
    except cron.InvalidCron:
        return None


class Standing(Struct, frozen=True):
    """How far a schedule is: instants up to `cursor` are decided; of verdicts those before `kept_from` are forgotten
    (None: none is). `off` says why it does not fire at all, up to `off_until` (None: for good); None: it does."""

    off: str | None
    off_until: datetime | None
    cursor: datetime
    deleted: bool
    kept_from: datetime | None
    current: Version | None

    def is_off(self, at: datetime) -> bool:
        return self.off is not None and (self.off_until is None or at <= self.off_until)


def upcoming(
    standing: Standing, since: datetime | None, until: datetime | None, now: datetime
) -> Iterator[UpcomingTickDto]:
    """The first few instants from `since` on and before `until` that have no verdict."""
    version = standing.current
    if version is None or standing.deleted:
        return
    later = since is not None and since > standing.cursor
    instant = version.following(since - MOMENT if since and later else standing.cursor)
    for _ in range(FEW):
        if instant is None or (until is not None and instant >= until) or (instant > now and standing.is_off(instant)):
            return
        state, explanation = _open(standing, version, instant, now)
        yield UpcomingTickDto(instant=instant, state=state, explanation=explanation)
        instant = version.following(instant)


def before(at: datetime, first: Version) -> AskedInstantDto:
    """About an instant at which no version was in force: `first` came later."""
    return asked(at, None, "not_expected", NOT_YET.format(at=utc(first.made_at), by=first.made_by))


def without_verdict(at: datetime, version: Version, standing: Standing, now: datetime) -> AskedInstantDto:
    """`version` was the last one made for instants like `at`."""
    if version.deleted_at is not None and at > version.deleted_at:
        gone = f"The schedule was deleted on {utc(version.deleted_at)} by {version.deleted_by}."
        return asked(at, None, "not_expected", gone)
    if not version.expects(at):
        return asked(at, version, "not_expected", not_expected(version, at))
    if at > standing.cursor and not standing.deleted:
        return asked(at, version, *_open(standing, version, at, now))
    if standing.kept_from is not None and at < standing.kept_from:
        return asked(at, version, "forgotten", FORGOTTEN)
    return asked(at, version, "unrecorded", UNRECORDED)


def backfilled(about: AskedInstantDto, made_up: BackfilledTickDto) -> AskedInstantDto:
    """It was made up for on request, whatever was decided about it."""
    told = " ".join([about.explanation, *of_backfilled([made_up], of=1)])
    return replace(about, verdict=about.verdict or "backfilled", explanation=told, backfilled=made_up)


def not_expected(version: Version, at: datetime) -> str:
    timing = version.timing
    if version.is_over(at) and version.rules.ends_at is not None:
        return ENDED.format(at=utc(version.rules.ends_at))
    if (end := version.moved_to(at)) is not None:
        return MOVED.format(at=utc(end))
    return f"It was not expected to fire: {timing.expression!r} in {timing.zone} does not come to this instant."


def asked(at: datetime, version: Version | None, state: State, explanation: str) -> AskedInstantDto:
    """`version` was in force; None: there was no schedule."""
    return AskedInstantDto(
        instant=at,
        is_expected=state != "not_expected",
        state=state,
        verdict=None,
        explanation=explanation,
        next_instant=version.following(at) if version else None,
        version=version.number if version else None,
        cron_expression=version.timing.expression if version else None,
        time_zone=version.timing.zone if version else None,
    )


def _open(standing: Standing, version: Version, at: datetime, now: datetime) -> tuple[Upcoming, str]:
    state: Upcoming = "ahead" if at > now else "undecided"
    if version.loses(at):
        return state, LOST
    if standing.is_off(at):
        return state, (OFF if at > now else PASSED_OFF).format(off=standing.off)
    outside = recurrence.outside(version.timing, version.rules, at)
    if outside is not None:
        return state, EXCLUDED.format(calendar=outside.calendar) if outside.calendar else OUTSIDE
    return state, AHEAD if at > now else DUE
