"""Which instants of a timing fire, under a schedule's rules. Pure; instants are aware UTC, whole seconds."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from linstock import cron
from linstock.cron.warnings import warnings as surprises
from linstock.messages.rules import Rules, Timing

FAR = datetime.max.replace(tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


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
        outside = outside_until(rules, instant)
        if outside is None or outside == FAR:
            return instant if outside is None else None
        after = outside
    return None


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


def outside_until(rules: Rules, instant: datetime) -> datetime | None:
    """None for an instant that may fire; else until when (included) none may, as far as one of the rules says."""
    if rules.starts_at is not None and instant < rules.starts_at:
        return rules.starts_at - MOMENT
    if rules.ends_at is not None and instant > rules.ends_at:
        return FAR
    return max((each.last for each in rules.excluded if each.first <= instant <= each.last), default=None)


def inside_until(rules: Rules, instant: datetime) -> datetime:
    """Until when (included) all may fire, from this one on that may."""
    later = (each.first - MOMENT for each in rules.excluded if each.first > instant)
    return min(later, default=FAR) if rules.ends_at is None else min(*later, rules.ends_at, FAR)


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
