"""The checks of `make faults` must see what they are there to see."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Raw
from msgspec.structs import replace as with_fields

from linstock import names
from linstock.messages.catalogue import ScanStarted
from linstock.messages.job import JobFailed, JobRetryScheduled, JobStarted
from linstock.messages.library import LibraryCreated, Settings
from linstock.messages.message import Message
from linstock.messages.receipt import CommandHandled
from linstock.messages.schedule import TickFired, TicksSkipped
from tests.faults import oracles
from tests.faults.history import Carried, History
from tests.faults.ledger import Entry, Ledger
from tests.support.recorded import NOON, RecordedLog
from tests.support.schedules import JOB, LIBRARY, SCHEDULE, defined, scan_requested

# The recorded log says everything at noon or later; the ticks below were due an hour before that.
DUE = NOON - timedelta(hours=1)
STORED = NOON + timedelta(hours=1)
COMMAND, LEASE = uuid4(), uuid4()


def at(second: int) -> datetime:
    return DUE + timedelta(seconds=second)


def fired(second: int, job_id: UUID = JOB) -> TickFired:
    return TickFired(
        schedule_id=SCHEDULE, instant=at(second), job_id=job_id, verdict="fired", missed_count=0, version=1, tzdata=""
    )


def skipped(first: int, last: int, *, reason: str = "misfire", count: int | None = None) -> TicksSkipped:
    count = last - first + 1 if count is None else count
    return TicksSkipped(
        schedule_id=SCHEDULE,
        first=at(first),
        last=at(last),
        count=count,
        reason=reason,
        busy=None,
        version=1,
        tzdata="",
    )


def history(log: str, *said: tuple[UUID, Message]) -> History:
    recorded = RecordedLog(log)
    for aggregate_id, event in said:
        recorded.says(aggregate_id, event)
    carried = [Carried(each, number, STORED) for number, each in enumerate(recorded.deliveries, 1)]
    return History({log: [each.recorded for each in recorded.deliveries]}, carried)


def ticks(*events: Message) -> dict[str, int]:
    definition = defined(cron="* * * * * *", cursor=at(0))
    found = oracles.ticks(history(names.SCHEDULER, *((SCHEDULE, event) for event in (definition, *events))), SCHEDULE)
    return {name: getattr(found, name) for name in ("missing", "doubled", "early", "unexplained")}


ALL_TICKS_WELL = {"missing": 0, "doubled": 0, "early": 0, "unexplained": 0}


def test_fired_and_skipped_instants_that_follow_each_other_are_well() -> None:
    assert ticks(fired(1), skipped(2, 4), fired(5)) == ALL_TICKS_WELL


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ((fired(1), fired(3)), {"missing": 1}),
        ((fired(2),), {"missing": 1}),
        ((fired(1), fired(1)), {"doubled": 1}),
        ((fired(1), skipped(1, 2)), {"doubled": 1}),
        ((skipped(1, 9, count=8), fired(10)), {"unexplained": 1}),
        ((skipped(1, 2, reason="overlap"),), {"unexplained": 1}),
        ((skipped(1, 2, reason="tired"),), {"unexplained": 1}),
        ((skipped(1, 4000),), {"early": 1}),
        ((skipped(1, 7300), fired(7301)), {"early": 3}),  # by the log's clock both, by NATS's one
    ],
)
def test_what_is_wrong_with_ticks_is_counted(events: tuple[Message, ...], wrong: dict[str, int]) -> None:
    assert ticks(*events) == ALL_TICKS_WELL | wrong


def started(attempt: int = 1, lease: UUID = LEASE) -> JobStarted:
    return JobStarted(job_id=JOB, attempt=attempt, worker="w", lease=lease, at=NOON, deadline=NOON)


def retried(attempt: int) -> JobRetryScheduled:
    return JobRetryScheduled(
        job_id=JOB, attempt=attempt, next_attempt=attempt + 1, due=NOON, code="c", message="", at=NOON
    )


FAILED = JobFailed(job_id=JOB, attempt=1, at=NOON, code="c", message="")


def jobs(*events: Message, runs: tuple[tuple[int, UUID], ...] = ()) -> dict[str, int]:
    scheduler = history(names.SCHEDULER, *((JOB, event) for event in (scan_requested(JOB), *events)))
    begun = (
        ScanStarted(scan_id=JOB, library_id=LIBRARY, attempt=attempt, lease=lease, worker="w", root="/", at=NOON)
        for attempt, lease in runs
    )
    scanner = history(names.SCANNER, *((LIBRARY, event) for event in begun))
    found = oracles.jobs(History({**scheduler.log, **scanner.log}))
    return {name: getattr(found, name) for name in ALL_JOBS_WELL}


ALL_JOBS_WELL = {
    "doubled": 0,
    "open": 0,
    "several_verdicts": 0,
    "after_verdict": 0,
    "attempts_run_twice": 0,
    "unclaimed_runs": 0,
    "orphan_ticks": 0,
}


def test_a_job_that_is_retried_and_ends_once_is_well() -> None:
    later = uuid4()
    assert jobs(started(), retried(1), started(2, later), FAILED, runs=((1, LEASE), (2, later))) == ALL_JOBS_WELL


@pytest.mark.parametrize(
    ("events", "runs", "wrong"),
    [
        ((started(),), (), {"open": 1}),
        ((scan_requested(JOB), started(), FAILED), (), {"doubled": 1}),
        ((started(), FAILED, FAILED), (), {"several_verdicts": 1}),
        ((started(), FAILED, started(2)), (), {"after_verdict": 1}),
        ((started(), started(lease=uuid4()), FAILED), (), {"attempts_run_twice": 1}),
        ((started(), FAILED), ((1, LEASE), (1, LEASE)), {"attempts_run_twice": 1}),
        ((started(), FAILED), ((1, SCHEDULE),), {"unclaimed_runs": 1}),
        ((started(), FAILED, fired(1, job_id=uuid4())), (), {"orphan_ticks": 1}),
    ],
)
def test_what_is_wrong_with_jobs_is_counted(
    events: tuple[Message, ...], runs: tuple[tuple[int, UUID], ...], wrong: dict[str, int]
) -> None:
    assert jobs(*events, runs=runs) == ALL_JOBS_WELL | wrong


def carriage(carried: list[int]) -> oracles.Carriage:
    """Of a log of four events, when EVENTS holds these of them."""
    made = LibraryCreated(library_id=LIBRARY, settings=Settings(name="n", path="/p"))
    whole = history(names.LIBRARY, *((uuid4(), made) for _ in range(4)))
    return oracles.carriage(History(whole.log, [whole.stream[number] for number in carried]))


def test_events_that_are_carried_once_in_order_are_well() -> None:
    assert carriage([0, 1, 2, 3]) == oracles.Carriage()


@pytest.mark.parametrize(
    ("carried", "wrong"),
    [
        ([0, 1, 2], oracles.Carriage(missing=1)),
        ([0, 1, 3], oracles.Carriage(missing=1, unchained=1)),
        ([0, 1, 2, 3, 3], oracles.Carriage(doubled=1, unchained=1)),
        ([0, 2, 1, 3], oracles.Carriage(disordered=1, unchained=3)),
    ],
)
def test_what_is_wrong_with_events_is_counted(carried: list[int], wrong: oracles.Carriage) -> None:
    assert carriage(carried) == wrong


def test_an_event_that_postgres_does_not_have_is_foreign() -> None:
    made = LibraryCreated(library_id=LIBRARY, settings=Settings(name="n", path="/p"))
    whole = history(names.LIBRARY, (LIBRARY, made))
    assert oracles.carriage(replace(whole, log={names.LIBRARY: []})) == oracles.Carriage(foreign=1)


CREATED = (LIBRARY, LibraryCreated(library_id=LIBRARY, settings=Settings(name="n", path="/p")))


def receipt(outcome: str = "done") -> tuple[UUID, Message]:
    handled = CommandHandled(
        command_id=COMMAND, command="CreateLibrary", outcome=outcome, answer=Raw(b"{}"), request_hash=""
    )
    return uuid4(), handled


def commands(*said: tuple[UUID, Message], entry: Entry) -> dict[str, int]:
    whole = history(names.LIBRARY, *said)
    caused = [with_fields(record, causation_id=COMMAND) for record in whole.log[names.LIBRARY]]
    found = oracles.commands(History({names.LIBRARY: caused}), Ledger(entries=[entry]), {entry.key: COMMAND})
    return {"lost": found.lost, "doubled": found.doubled, "answered_differently": found.answered_differently}


def told(*, acked: bool = True, refused: str | None = None, ids: int = 1) -> Entry:
    return Entry("k", "create", acked=acked, refused=refused, ids={uuid4() for _ in range(ids)})


ALL_COMMANDS_WELL = {"lost": 0, "doubled": 0, "answered_differently": 0}


@pytest.mark.parametrize(
    ("said", "entry"),
    [
        ((CREATED, receipt()), told()),
        ((receipt("refused"),), told(refused="name-taken", ids=0)),
        ((), told(acked=False, ids=0)),
        ((), told(acked=False, refused="library-not-found", ids=0)),
        ((CREATED, receipt()), told(acked=False, ids=0)),
    ],
)
def test_a_command_done_once_or_refused_or_never_acknowledged_is_well(
    said: tuple[tuple[UUID, Message], ...], entry: Entry
) -> None:
    assert commands(*said, entry=entry) == ALL_COMMANDS_WELL


@pytest.mark.parametrize(
    ("said", "entry", "wrong"),
    [
        ((), told(), {"lost": 1}),
        ((receipt(),), told(), {"lost": 1}),
        ((), told(acked=True, refused="name-taken", ids=0), {"lost": 1}),
        ((CREATED, receipt()), told(acked=False, refused="name-taken"), {"lost": 1}),
        ((CREATED, receipt(), receipt()), told(), {"doubled": 1}),
        ((CREATED, CREATED, receipt()), told(), {"doubled": 1}),
        ((CREATED,), told(acked=False), {"doubled": 1}),
        ((CREATED, receipt()), told(ids=2), {"answered_differently": 1}),
    ],
)
def test_what_is_wrong_with_commands_is_counted(
    said: tuple[tuple[UUID, Message], ...], entry: Entry, wrong: dict[str, int]
) -> None:
    assert commands(*said, entry=entry) == ALL_COMMANDS_WELL | wrong
