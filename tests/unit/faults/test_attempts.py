"""The check of attempts in `make faults --only jobs` must see what it is there to see."""

from uuid import UUID

import pytest

from linstock import names
from linstock.messages.job import JobEvent
from tests.faults import oracles
from tests.faults.history import History
from tests.faults.oracles import Attempts
from tests.support.jobs import MINE, OTHER, ignored, retry, snoozed, started, succeeded
from tests.support.recorded import RecordedLog
from tests.support.schedules import JOB, job_requested, scan_requested

TYPE = job_requested().job_type
REQUESTED = job_requested()
LOST = retry(1, 7, 7, "lease_lost")


def found(*events: JobEvent) -> Attempts:
    recorded = RecordedLog(names.SCHEDULER)
    for event in events:
        recorded.says(JOB, event)
    return oracles.attempts(History({names.SCHEDULER: [each.recorded for each in recorded.deliveries]}), TYPE)


def test_attempts_that_follow_one_another_are_well() -> None:
    well = found(REQUESTED, started(), LOST, started(2, OTHER), snoozed(2), started(3), ignored("failed"), succeeded(3))
    assert (well.out_of_turn, well.ignored) == (0, 1)
    assert well.ended == {"lease_lost": 1, "snoozed": 1, "succeeded": 1}
    assert (well.requested, well.started) == ({JOB}, {(JOB, 1), (JOB, 2), (JOB, 3)})


@pytest.mark.parametrize(
    ("what", "events"),
    [
        ("an attempt is left out", [started(), LOST, started(3), succeeded(3)]),
        ("it begins with the second", [started(2), succeeded(2)]),
        ("one begins before the other has ended", [started(), started(2, OTHER), succeeded(2)]),
        ("another one ends than began", [started(), succeeded(2)]),
        ("one ends that did not begin", [succeeded()]),
        ("one begins again", [started(), LOST, started(1, OTHER), succeeded()]),
    ],
)
def test_attempts_out_of_turn_are_counted(what: str, events: list[JobEvent]) -> None:
    assert found(REQUESTED, *events).out_of_turn >= 1, what


def test_jobs_of_other_types_are_none_of_its_business() -> None:
    assert found(scan_requested(), started(2), succeeded(1)) == Attempts()


def test_an_attempt_that_two_processes_ran_is_counted() -> None:
    assert oracles.run_twice([(JOB, 1), (JOB, 2), (MINE, 1)]) == 0
    assert oracles.run_twice([(JOB, 1), (UUID(str(JOB)), 1), (JOB, 2)]) == 1
