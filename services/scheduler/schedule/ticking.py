"""Which instants fire, and which are skipped."""

from datetime import datetime, timedelta

from linstock import names
from linstock.messages.schedule import ScheduleEvent, Tick, TickFired, TicksSkipped
from services.scheduler.schedule.states import Enabled

LATE_AFTER = timedelta(seconds=1)
MISFIRED_AFTER = timedelta(seconds=60)  # later than that, nobody was there at the instant


def tick(tick: Tick, schedule: Enabled) -> list[ScheduleEvent]:
    """The latest instant fires, with its own instant; those before it are skipped in its favour."""
    if not tick.instants or tick.instants[0] <= schedule.cursor or tick.instants[-1] > tick.now:
        return []
    if tick.more:
        return [_skipped(tick, schedule, tick.instants, "misfire", tick.missed)]
    earlier, latest = tick.instants[:-1], tick.instants[-1]
    missed = [_skipped(tick, schedule, earlier, "misfire", tick.missed)] if earlier else []
    if tick.busy:
        return [*missed, _skipped(tick, schedule, (latest,), "overlap", 0)]
    fired = TickFired(
        schedule_id=schedule.schedule_id,
        instant=latest,
        job_id=names.job_of_tick(schedule.schedule_id, latest.isoformat()),
        verdict=_verdict(tick.now - latest, bool(earlier)),
        missed_count=len(earlier) + tick.missed,
        version=schedule.version,
        tzdata=tick.tzdata,
    )
    return [*missed, fired]


def _verdict(lateness: timedelta, missed: bool) -> str:
    if missed or lateness > MISFIRED_AFTER:
        return "caught_up"
    return "late" if lateness > LATE_AFTER else "fired"


def _skipped(tick: Tick, schedule: Enabled, instants: tuple[datetime, ...], reason: str, unlisted: int) -> TicksSkipped:
    return TicksSkipped(
        schedule_id=schedule.schedule_id,
        first=instants[0],
        last=instants[-1],
        count=len(instants) + unlisted,
        reason=reason,
        busy=tick.busy if reason == "overlap" else None,
        version=schedule.version,
        tzdata=tick.tzdata,
    )
