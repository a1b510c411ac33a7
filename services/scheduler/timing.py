"""Which instants of a schedule are due. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from linstock import recurrence
from linstock.messages.schedule import Passed, Tick
from services.scheduler.schedule import Enabled, Paused, Schedule, failed_too_often, runs

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
    """All that is due at `now`, at most `limit` instants of it; None when nothing is. Costs about 10 µs an instant."""
    tick = Tick(instants=(), now=now, busy=busy, tzdata=tzdata, open=open_jobs, waiting=waiting, failures=failures)
    if isinstance(schedule, Paused):
        over = schedule.resume_at is not None and schedule.resume_at <= now
        return replace(tick, failures=0) if over else None  # what failed before is forgotten then
    if failed_too_often(schedule, failures):
        return tick
    passed, due = _due(schedule, _released(schedule, now), now, limit)
    most, fires_all = schedule.rules.catchup_limit, schedule.rules.misfire == "fire_all"
    more = len(due) == limit
    if fires_all:
        kept = 0 if more else most
        dropped, due = due[: max(0, len(due) - kept)], due[max(0, len(due) - kept) :]
        passed = sorted([*passed, *runs(dropped, passed, "misfire")], key=_first)
    if not due and not passed:
        return None
    listed = due if len(due) <= 3 or fires_all else [due[0], *due[-2:]]
    return replace(tick, passed=tuple(passed), instants=tuple(listed), missed=len(due) - len(listed), more=more)


def _released(schedule: Enabled, now: datetime) -> datetime:
    """Until when instants may be decided: the latest may have to wait for its jitter."""
    if not schedule.rules.jitter_s:
        return now
    span = recurrence.span(schedule.timing, schedule.cursor, now)
    return span.last - MOMENT if span is not None and _release(schedule, span.last) > now else now


def _due(schedule: Enabled, until: datetime, now: datetime, limit: int) -> tuple[list[Passed], list[datetime]]:
    """Stretches of which nothing fires, and the first `limit` instants that may: with fire_all of all other stretches,
    else of the last."""
    rules, after = schedule.rules, schedule.cursor
    oldest = now - timedelta(seconds=rules.catchup_window_s)
    passed, due = list[Passed](), list[datetime]()
    latest: tuple[datetime, datetime] | None = None
    while (first := recurrence.following(schedule.timing, after)) is not None and first <= until:
        outside = recurrence.outside(schedule.timing, rules, first)
        if outside is not None:
            end = min(outside.until, until)
            passed.append(_passed(schedule, after, end, "outside_window", outside.calendar))
        elif first < oldest:
            end = min(oldest - MOMENT, recurrence.inside_until(schedule.timing, rules, first), until)
            passed.append(_passed(schedule, after, end, "misfire"))
        elif rules.misfire == "fire_all":
            end = min(recurrence.inside_until(schedule.timing, rules, first), until)
            due += recurrence.due_instants(schedule.timing, after, end, limit - len(due))
            if len(due) == limit:
                return _before(passed, due[-1]), due
        else:
            end = min(recurrence.inside_until(schedule.timing, rules, first), until)
            if latest:
                passed.append(_passed(schedule, *latest, "misfire"))
            latest = after, end
        after = end
    if latest:
        due = recurrence.due_instants(schedule.timing, *latest, limit)
    passed.sort(key=_first)
    return (_before(passed, due[-1]) if len(due) == limit else passed), due


def _first(passed: Passed) -> datetime:
    return passed.first


def _before(passed: list[Passed], instant: datetime) -> list[Passed]:
    """What comes later is told with what is left of the instants."""
    return [each for each in passed if each.last < instant]


def _passed(schedule: Enabled, after: datetime, until: datetime, reason: str, calendar: str = "") -> Passed:
    span = recurrence.span(schedule.timing, after, until)
    assert span is not None
    return Passed(first=span.first, last=span.last, count=span.count, reason=reason, calendar=calendar)


def _release(schedule: Enabled, instant: datetime) -> datetime:
    return recurrence.release(schedule.timing, schedule.rules, schedule.schedule_id, instant)
