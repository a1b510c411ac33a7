"""Which instants of a schedule are due. Pure."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from linstock import recurrence
from linstock.messages.schedule import Passed, Tick
from services.scheduler.schedule import Enabled, Paused, Schedule, failed_too_often
from services.scheduler.schedule.passing import counted, dropped

MOMENT = recurrence.MOMENT


def upcoming(schedule: Schedule, failures: int = 0) -> datetime | None:
    """When something is to be decided next; None while it does not tick. Raises InvalidCron."""
    if isinstance(schedule, Paused):
        return schedule.resume_at
    if not isinstance(schedule, Enabled):
        return None
    if failed_too_often(schedule, failures):
        return schedule.cursor
    moment = recurrence.first_due(schedule.timing, schedule.rules, schedule.cursor)
    if moment is None or not schedule.rules.jitter_s or not _fires(schedule, moment):
        return moment
    return _release(schedule, moment)


def proposal(
    schedule: Enabled | Paused,
    now: datetime,
    *,
    busy: UUID | None,
    tzdata: str,
    open_jobs: tuple[UUID, ...] = (),
    waiting: int = 0,
    failures: int = 0,
) -> Tick | None:
    """All that is due at `now`; None when nothing is. What can't fire is counted, not listed: it costs some 30 µs, and
    after years of absence some milliseconds a year."""
    tick = Tick(instants=(), now=now, busy=busy, tzdata=tzdata, open=open_jobs, waiting=waiting, failures=failures)
    if isinstance(schedule, Paused):
        over = schedule.resume_at is not None and schedule.resume_at <= now
        return replace(tick, failures=0) if over else None  # what failed before is forgotten then
    if failed_too_often(schedule, failures):
        return tick
    passed, due = _due(schedule, _released(schedule, now), now)
    return replace(tick, passed=tuple(passed), instants=tuple(due)) if passed or due else None


def _released(schedule: Enabled, now: datetime) -> datetime:
    """Until when instants may be decided: the latest may have to wait for its jitter."""
    if not schedule.rules.jitter_s:
        return now
    span = recurrence.span(schedule.timing, schedule.cursor, now)
    waits = span is not None and _fires(schedule, span.last) and _release(schedule, span.last) > now
    return span.last - MOMENT if span is not None and waits else now


def _due(schedule: Enabled, until: datetime, now: datetime) -> tuple[list[Passed], list[datetime]]:
    """What does not fire, and the latest that may: one, or with fire_all so many as it says."""
    rules, timing = schedule.rules, schedule.timing
    passed, due = dropped(schedule, until), list[datetime]()
    since = now - rules.catchup_window - MOMENT
    left = rules.catchup_limit if rules.misfire == "fire_all" else 1
    for each in reversed(list(recurrence.stretches(timing, rules, schedule.cursor, until))):
        if not each.inside:
            passed += counted(schedule, each.after, each.until, "outside_window", each.calendar)
            continue
        found = recurrence.latest(timing, max(each.after, since), each.until, left) if left else []
        due, left = [*found, *due], left - len(found)
        if not found or found[0] != each.first:
            passed += counted(schedule, each.after, found[0] - MOMENT if found else each.until, "misfire")
    return sorted(passed, key=_first), due


def _first(passed: Passed) -> datetime:
    return passed.first


def _fires(schedule: Enabled, instant: datetime) -> bool:
    """Whether its rules let it, if it is an instant at all."""
    expected = recurrence.following(schedule.timing, instant - MOMENT) == instant
    return expected and recurrence.outside(schedule.timing, schedule.rules, instant) is None


def _release(schedule: Enabled, instant: datetime) -> datetime:
    return recurrence.release(schedule.timing, schedule.rules, schedule.schedule_id, instant)
