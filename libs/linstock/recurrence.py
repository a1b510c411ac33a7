"""Which instants of a timing fire, under a schedule's rules. Pure; instants are aware UTC, whole seconds."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from msgspec import Struct

from linstock import cron, days_off
from linstock.cron.warnings import warnings as surprises
from linstock.messages.rules import Rules, Timing

FAR = datetime.max.replace(tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


class Outside(Struct, frozen=True):
    """Until when (included) nothing fires, as far as one of the rules says; `calendar` names it, if it is one."""

    until: datetime
    calendar: str = ""


class Stretch(Struct, frozen=True):
    """Instants later than `after` and not later than `until`: all may fire, or (`inside` is False) none. `first` is the
    first of them; there is one. `calendar` names the one that leaves them out."""

    after: datetime
    first: datetime
    until: datetime
    inside: bool
    calendar: str = ""


def following(timing: Timing, after: datetime) -> datetime | None:
    """The first instant later than `after`, whether it fires or not. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.next(timing.expression, timing.zone, after, days=days, changes=changes)


def check(timing: Timing) -> None:
    """Raises InvalidCron for what could not be scheduled."""
    cron.check(timing.expression, timing.zone, days=_options(timing)[0])


def warnings(timing: Timing, after: datetime) -> list[str]:
    """Sentences about what may surprise. Raises InvalidCron."""
    days, changes = _options(timing)
    return surprises(timing.expression, timing.zone, after, days=days, changes=changes)


def first_inside(timing: Timing, rules: Rules, after: datetime) -> datetime | None:
    """The first instant later than `after` that the rules let fire; None when there is none. Raises InvalidCron."""
    while (instant := following(timing, after)) is not None:
        found = outside(timing, rules, instant)
        if found is None:
            return instant
        if found.until == FAR:
            return None
        after = found.until
    return None


def due_instants(timing: Timing, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The first `limit` instants later than `after` and not later than `until`. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.due_instants(timing.expression, timing.zone, after, until, limit, days=days, changes=changes)


def span(timing: Timing, after: datetime, until: datetime) -> cron.Span | None:
    """First, last and number of the instants later than `after` and not later than `until`. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.span(timing.expression, timing.zone, after, until, days=days, changes=changes)


def latest(timing: Timing, after: datetime, until: datetime, count: int) -> list[datetime]:
    """The last `count` instants later than `after` and not later than `until`, ascending. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.latest(timing.expression, timing.zone, after, until, count, days=days, changes=changes)


def dropped(timing: Timing, after: datetime, until: datetime) -> Iterator[datetime]:
    """What the clocks take away of it, later than `after` and not later than `until`: `linstock.cron.dropped`. Raises
    InvalidCron."""
    days, changes = _options(timing)
    return cron.dropped(timing.expression, timing.zone, after, until, days=days, changes=changes)


def moved_to(timing: Timing, at: datetime) -> datetime | None:
    """The end of the gap, if `at` stands for a wall time in it that fires there. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.moved_to(timing.expression, timing.zone, at, days=days, changes=changes)


def dropped_spans(timing: Timing, rules: Rules, after: datetime, until: datetime) -> list[cron.Span]:
    """The same up to the schedule's end; none reaches over an instant. Raises InvalidCron."""
    found, following_at = list[cron.Span](), None
    for instant in dropped(timing, after, _until(rules, until)):
        if found and (following_at is None or instant < following_at):
            found[-1] = cron.Span(found[-1].first, instant, found[-1].count + 1)
        else:
            found.append(cron.Span(instant, instant, 1))
            following_at = following(timing, instant)
    return found


def stretches(timing: Timing, rules: Rules, after: datetime, until: datetime) -> Iterator[Stretch]:
    """Of what is later than `after` and not later than `until`, nor than the schedule's end. None reaches over what the
    clocks take away. Raises InvalidCron."""
    until = _until(rules, until)
    breaks = [each.first for each in dropped_spans(timing, rules, after, until)]
    while (first := following(timing, after)) is not None and first <= until:
        found = outside(timing, rules, first)
        end = min(until, inside_until(timing, rules, first) if found is None else found.until)
        end = min(end, next((each - MOMENT for each in breaks if each > first), end))
        yield Stretch(after, first, end, found is None, found.calendar if found else "")
        after = end


def first_due(timing: Timing, rules: Rules, after: datetime) -> datetime | None:
    """The first moment later than `after` at which something can be decided without waiting for what follows: an
    instant that may fire, one that the clocks take away, or the schedule's end. Raises InvalidCron."""
    instant = first_inside(timing, rules, after)
    end = instant or rules.ends_at
    if end is None:
        return None
    gone = next(dropped(timing, after, end), None)
    if gone is not None or instant is not None:
        return gone or instant
    left = following(timing, after)
    return end if left is not None and left <= end else None


def moved(timing: Timing, instant: datetime) -> bool:
    """Whether the clocks skipped its wall time. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.moved(timing.expression, timing.zone, instant, days=days, changes=changes)


def outside(timing: Timing, rules: Rules, instant: datetime) -> Outside | None:
    """None for an instant that may fire."""
    if rules.starts_at is not None and instant < rules.starts_at:
        return Outside(rules.starts_at - MOMENT)
    if rules.ends_at is not None and instant > rules.ends_at:
        return Outside(FAR)
    last = max((each.last for each in rules.excluded if each.first <= instant <= each.last), default=None)
    found = None if last is None else Outside(last)
    for calendar in rules.calendars:
        until = days_off.closed_until(calendar.days, timing.zone, instant)
        if until is not None and (found is None or until > found.until):
            found = Outside(until, calendar.name)
    return found


def inside_until(timing: Timing, rules: Rules, instant: datetime) -> datetime:
    """Until when (included) all may fire, from this one on that may."""
    end = min((each.first - MOMENT for each in rules.excluded if each.first > instant), default=FAR)
    for calendar in rules.calendars:
        end = min(end, days_off.open_until(calendar.days, timing.zone, instant))
    return end if rules.ends_at is None else min(end, rules.ends_at)


def _until(rules: Rules, until: datetime) -> datetime:
    """After its end a schedule expects nothing."""
    return until if rules.ends_at is None else min(until, rules.ends_at)


def release(timing: Timing, rules: Rules, schedule_id: UUID, instant: datetime) -> datetime:
    """When an instant fires: at its own time, or later by its share of the jitter. Shares are less than the time to the
    next instant, so none overtakes another. Raises InvalidCron."""
    if not rules.jitter_s:
        return instant
    after = following(timing, instant)
    longest_s = float(rules.jitter_s) if after is None else min(rules.jitter_s, (after - instant).total_seconds())
    drawn = hashlib.sha256(schedule_id.bytes + instant.isoformat().encode()).digest()
    return instant + timedelta(milliseconds=int.from_bytes(drawn[:8]) % int(longest_s * 1000))


def _options(timing: Timing) -> tuple[cron.Days, cron.ClockChanges]:
    return cast("cron.Days", timing.days), cast("cron.ClockChanges", timing.clock_changes)
