"""Which instants of a timing fire, under a schedule's rules. Pure; instants are aware UTC, whole seconds."""

import hashlib
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


def inside_instants(timing: Timing, rules: Rules, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """As `due_instants`, of those that the rules let fire. Raises InvalidCron."""
    found = list[datetime]()
    while len(found) < limit:
        instant = first_inside(timing, rules, found[-1] if found else after)
        if instant is None or instant > until:
            break
        found.append(instant)
    return found


def due_instants(timing: Timing, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The first `limit` instants later than `after` and not later than `until`. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.due_instants(timing.expression, timing.zone, after, until, limit, days=days, changes=changes)


def span(timing: Timing, after: datetime, until: datetime) -> cron.Span | None:
    """First, last and number of the instants later than `after` and not later than `until`. Raises InvalidCron."""
    days, changes = _options(timing)
    return cron.span(timing.expression, timing.zone, after, until, days=days, changes=changes)


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
