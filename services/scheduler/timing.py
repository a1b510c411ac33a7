"""Which instants of a schedule are due. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from linstock import recurrence
from linstock.messages.schedule import Passed, Tick
from services.scheduler.schedule import Enabled, Paused, Schedule, failed_too_often

MOMENT = recurrence.MOMENT


def upcoming(schedule: Schedule, failures: int = 0) -> datetime | None:
    """When something is to be decided next; None while it does not tick. Raises InvalidCron."""
    if isinstance(schedule, Paused):
        return schedule.resume_at
    if not isinstance(schedule, Enabled):
        return None
    if failed_too_often(schedule, failures):
        return schedule.cursor
    instant = recurrence.first_inside(schedule.timing, schedule.rules, schedule.cursor)
    return None if instant is None else _release(schedule, instant)


def proposal(
    schedule: Enabled | Paused,
    now: datetime,
    *,
    busy: UUID | None,
    tzdata: str,
    limit: int,
    open_jobs: tuple[UUID, ...] = (),
    waiting: int = 0,
    failures: int = 0,
) -> Tick | None:
    """All that is due at `now`, at most `limit` instants of it; None when nothing is. Costs about 10 µs an instant.

    Of instants between two stretches in which none may fire, those after the first such stretch are left for the next
    time.
    """
    tick = Tick(instants=(), now=now, busy=busy, tzdata=tzdata, open=open_jobs, waiting=waiting, failures=failures)
    if isinstance(schedule, Paused):
        return tick if schedule.resume_at is not None and schedule.resume_at <= now else None
    if failed_too_often(schedule, failures):
        return tick
    passed, after = _passed(schedule, now)
    found = _due(schedule, after, now, limit)
    if found is None:
        return replace(tick, passed=tuple(passed)) if passed else None
    due, until = found
    most = schedule.rules.catchup_limit
    fires_all = schedule.rules.misfire == "fire_all"
    if fires_all and most < len(due) < limit:
        passed.append(Passed(first=due[0], last=due[-most - 1], count=len(due) - most, reason="misfire"))
        due = due[-most:]
    more = len(due) == limit or (not fires_all and _later(schedule, until, now))
    listed = due if len(due) <= 3 or (fires_all and not more) else [due[0], *due[-2:]]
    return replace(tick, passed=tuple(passed), instants=tuple(listed), missed=len(due) - len(listed), more=more)


def _passed(schedule: Enabled, now: datetime) -> tuple[list[Passed], datetime]:
    """Stretches that are over and of which nothing fires, and after which instant the rest begins."""
    rules, after, found = schedule.rules, schedule.cursor, list[Passed]()
    oldest = now - timedelta(seconds=rules.catchup_window_s)
    while (first := recurrence.following(schedule.timing, after)) is not None and first <= now:
        reason, until = "outside_window", recurrence.outside_until(rules, first)
        if until is None:
            reason, until = "misfire", min(oldest - MOMENT, recurrence.inside_until(rules, first))
        if until < first:
            break
        until = min(until, now)
        span = recurrence.span(schedule.timing, after, until)
        assert span is not None
        found.append(Passed(first=span.first, last=span.last, count=span.count, reason=reason))
        after = until
    return found, after


def _due(schedule: Enabled, after: datetime, now: datetime, limit: int) -> tuple[list[datetime], datetime] | None:
    """What may fire from `after` on, and how far that goes without a break. An instant waits for its jitter."""
    first = recurrence.following(schedule.timing, after)
    if first is None or first > now:
        return None
    until = min(now, recurrence.inside_until(schedule.rules, first))
    due = recurrence.due_instants(schedule.timing, after, until, limit)
    if schedule.rules.jitter_s and len(due) < limit and _release(schedule, due[-1]) > now:
        until = due.pop() - MOMENT
    return (due, until) if due else None


def _later(schedule: Enabled, after: datetime, now: datetime) -> bool:
    """Whether still another instant is due that may fire."""
    instant = recurrence.first_inside(schedule.timing, schedule.rules, after)
    return instant is not None and _release(schedule, instant) <= now


def _release(schedule: Enabled, instant: datetime) -> datetime:
    return recurrence.release(schedule.timing, schedule.rules, schedule.schedule_id, instant)
