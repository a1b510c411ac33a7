"""The part of `make faults` that kills schedulers must see a tick that is missing, doubled or early."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from linstock import names
from linstock.messages.message import Message
from linstock.messages.schedule import TickFired
from tests.faults.history import Carried, History
from tests.faults.schedulers import SCHEDULES, Recurring, counts
from tests.support.recorded import NOON, RecordedLog
from tests.support.schedules import defined, scan_requested

DUE = NOON - timedelta(hours=1)
UNTIL = DUE + timedelta(seconds=30)
FIRST = SCHEDULES[0]

Said = list[tuple[UUID, Message]]


def ticks(of: Recurring) -> Said:
    """Its definition and every tick of its until the end, each with its job."""
    said: Said = [(of.schedule_id, defined(library_id=of.library_id, cron=of.cron, cursor=DUE))]
    for number in range(1, 30 // of.period_s + 1):
        instant = DUE + timedelta(seconds=number * of.period_s)
        job_id = names.job_of_tick(of.schedule_id, instant.isoformat())
        said.append((job_id, scan_requested(job_id, library_id=of.library_id, instant=instant)))
        fired = TickFired(
            schedule_id=of.schedule_id, instant=instant, job_id=job_id, verdict="fired", missed_count=0, version=1,
            tzdata="",
        )  # fmt: skip
        said.append((of.schedule_id, fired))
    return said


def wrong(said: Said, *, appended: dict[int, datetime] | None = None, carried_twice: Sequence[int] = ()) -> set[str]:
    """What the table would call a miss."""
    log = RecordedLog(names.SCHEDULER)
    for aggregate_id, event in said:
        log.says(aggregate_id, event)
    stream = [Carried(each, number, NOON) for number, each in enumerate(log.deliveries, 1)]
    stream += [replace(stream[number], sequence=0) for number in carried_twice]
    records = [each.recorded for each in log.deliveries]
    at = {record.position: NOON for record in records} | (appended or {})
    return {each.what.strip() for each in counts(History({names.SCHEDULER: records}, stream), UNTIL, at) if not each.ok}


ALL = [event for each in SCHEDULES for event in ticks(each)]


def test_a_tick_at_each_instant_is_well() -> None:
    assert wrong(ALL) == set()


def test_a_missing_tick_is_seen() -> None:
    gone = ticks(FIRST)[:9] + ticks(FIRST)[11:]
    others = [event for each in SCHEDULES[1:] for event in ticks(each)]
    assert wrong([*gone, *others]) == {"missing"}
    assert wrong([*ticks(FIRST)[:-2], *others]) == {"missing"}, "the last one"
    assert wrong(others) == {"missing"}, "all of one schedule"


def test_a_doubled_tick_is_seen() -> None:
    assert wrong([*ALL[:3], ALL[2], *ALL[3:]]) == {"doubled", "doubled in EVENTS"}
    assert wrong(ALL, carried_twice=[2]) == {"doubled in EVENTS"}


def test_an_early_tick_is_seen() -> None:
    instant = DUE + timedelta(seconds=1)
    early = {3: instant - timedelta(milliseconds=1)}
    assert wrong(ALL, appended=early) == {"early by Postgres's clock when it was appended"}
    assert wrong(ALL, appended={3: instant}) == set()
