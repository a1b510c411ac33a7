"""Which instants fire, and which are skipped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from linstock import names, recurrence
from linstock.messages.schedule import ScheduleDisabled, ScheduleEvent, SchedulePaused, ScheduleResumed, Tick, TickFired
from services.scheduler.schedule.passing import in_order, passed, runs
from services.scheduler.schedule.states import Enabled, Paused

LATE_AFTER = timedelta(seconds=1)
MISFIRED_AFTER = timedelta(seconds=60)  # later than that, nobody was there at the instant
MOMENT = timedelta(microseconds=1)


def tick(tick: Tick, schedule: Enabled) -> list[ScheduleEvent]:
    """One verdict for each instant, in order. It ends with the schedule's own end, if this was its last run."""
    if failed_too_often(schedule, tick.failures):
        reason = f"{tick.failures} runs in a row failed"
        return [SchedulePaused(schedule_id=schedule.schedule_id, at=tick.now, reason=reason)]
    if not _holds(tick, schedule):
        return []
    decided = _decided(tick, schedule)
    return [*decided, *_end(tick, schedule, decided)]


def resume(tick: Tick, schedule: Paused) -> list[ScheduleEvent]:
    """By itself, once it is time; what came later is then due."""
    at = schedule.resume_at
    if at is None or at > tick.now:
        return []
    cursor = max(schedule.cursor, at)
    resumed = ScheduleResumed(schedule_id=schedule.schedule_id, at=tick.now, cursor=cursor)
    return [*passed(schedule, at, tick.tzdata), resumed]


def failed_too_often(schedule: Enabled, failures: int) -> bool:
    most = schedule.rules.pause_after_failures
    return most is not None and failures >= most


def _holds(tick: Tick, schedule: Enabled) -> bool:
    """Whether this is in order, after the cursor and not in the future."""
    if not tick.passed and not tick.instants:
        return False
    ranges = [moment for each in tick.passed for moment in (each.first, each.last)]
    for moments in (ranges, tick.instants):
        if any(here > there for here, there in pairwise((schedule.cursor + MOMENT, *moments, tick.now))):
            return False
    return not tick.instants or _lateness(tick, schedule, tick.instants[-1]) >= timedelta(0)


def _decided(tick: Tick, schedule: Enabled) -> list[ScheduleEvent]:
    missed, wanted = _misfired(tick, schedule) if tick.instants else ((), ())
    left = None if schedule.rules.max_runs is None else max(0, schedule.rules.max_runs - schedule.runs)
    wanted, beyond = wanted[:left], wanted[len(wanted[:left]) :]
    wanted, overlapping = _overlapping(tick, schedule, wanted)
    skipped = list(tick.passed)
    for instants, reason in ((missed, "misfire"), (overlapping, "overlap"), (beyond, "limit")):
        skipped += runs(instants, tick.passed, reason)
    ahead = sum(each.count for each in skipped if each.reason == "misfire")
    fired = _firings(tick, schedule, wanted, 0 if schedule.rules.misfire == "fire_all" else ahead)
    return in_order(schedule, skipped, fired, tzdata=tick.tzdata, busy=tick.busy)


def _misfired(tick: Tick, schedule: Enabled) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """What was missed and stays so, and what should fire."""
    rules, instants = schedule.rules, tick.instants
    latest = instants[-1]
    too_old = latest < tick.now - rules.catchup_window
    if too_old or (rules.misfire == "skip" and _lateness(tick, schedule, latest) > MISFIRED_AFTER):
        return instants, ()
    if rules.misfire == "fire_all":
        return (), instants
    return instants[:-1], instants[-1:]


def _overlapping(
    tick: Tick, schedule: Enabled, wanted: tuple[datetime, ...]
) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """What fires, and what does not because a run is open."""
    if tick.busy is None:
        return wanted, ()
    match schedule.rules.overlap:
        case "buffer_one":
            room = max(0, 1 - tick.waiting)
        case "buffer_all":
            room = max(0, schedule.rules.buffer_limit - tick.waiting)
        case "cancel_other" | "terminate_other":
            room = len(wanted)
        case _:
            room = 0
    return wanted[:room], wanted[room:]


def _firings(tick: Tick, schedule: Enabled, wanted: Sequence[datetime], missed: int) -> list[TickFired]:
    """A library's scans run one after another: what fires together waits in line."""
    buffers = schedule.rules.overlap in ("buffer_one", "buffer_all")
    behind = tick.busy if buffers else None
    cancels = () if buffers else tick.open
    fired = list[TickFired]()
    for instant in wanted:
        job_id = names.job_of_tick(schedule.schedule_id, instant.isoformat())
        fired.append(
            TickFired(
                schedule_id=schedule.schedule_id,
                instant=instant,
                job_id=job_id,
                verdict=_verdict(_lateness(tick, schedule, instant), missed > 0),
                missed_count=missed,
                version=schedule.version,
                tzdata=tick.tzdata,
                moved=recurrence.moved(schedule.timing, instant),
                behind=behind,
                cancels=cancels,
            )
        )
        behind, cancels = job_id, ()
    return fired


def _end(tick: Tick, schedule: Enabled, fired: Sequence[ScheduleEvent]) -> list[ScheduleEvent]:
    """After its last run it is off; a library's own schedule takes the library's autoScan along."""
    most, runs = schedule.rules.max_runs, schedule.runs + sum(isinstance(each, TickFired) for each in fired)
    if most is None or runs < most:
        return []
    return [
        ScheduleDisabled(
            schedule_id=schedule.schedule_id,
            library_version=schedule.library_version,
            at=tick.now,
            auto_scan_at=max(tick.now, schedule.auto_scan_at + MOMENT),
            library_id=schedule.own_library_id,
            reason="limit",
        )
    ]


def _lateness(tick: Tick, schedule: Enabled, instant: datetime) -> timedelta:
    return tick.now - recurrence.release(schedule.timing, schedule.rules, schedule.schedule_id, instant)


def _verdict(lateness: timedelta, missed: bool) -> str:
    if missed or lateness > MISFIRED_AFTER:
        return "caught_up"
    return "late" if lateness > LATE_AFTER else "fired"
