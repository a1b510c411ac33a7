"""What a job does that comes too early, and what its attempts keep for the next: given / when / then."""

import pytest
from msgspec import Raw

from linstock.messages.job import (
    ExpireLease,
    JobDeferred,
    JobEvent,
    JobFailed,
    JobPaused,
    JobResumed,
    JobSucceeded,
    PauseJob,
)
from linstock.messages.message import NOTHING
from linstock.messages.schedule import JobPolicy
from services.scheduler import job
from services.scheduler.job import Awaiting, ClaimRefused, Closed, Unrequested
from services.scheduler.job.states import HEARD_LIMIT
from tests.support.jobs import (
    MINE,
    OTHER,
    POLICY,
    at,
    checkpoint,
    checkpointed,
    failure,
    folded,
    given,
    ignored,
    retry,
    snooze,
    snoozed,
    start,
    started,
    succeeded,
    success,
)
from tests.support.schedules import JOB, job_requested

REQUESTED = job_requested(policy=POLICY)
PAUSED = JobPaused(job_id=JOB, attempt=1, next_attempt=2, reason="film", at=at(6))
RESUMED = JobResumed(job_id=JOB, attempt=2, reason="over", at=at(9))


def kept(*history: JobEvent) -> bytes:
    state = folded(*history)
    assert not isinstance(state, Unrequested | Awaiting | Closed)
    return bytes(state.checkpoint)


def test_a_snoozed_attempt_is_followed_by_another_when_it_asked_for_it() -> None:
    assert given(REQUESTED, started())(snooze()) == [snoozed()]
    with pytest.raises(ClaimRefused, match="not_due"):
        given(REQUESTED, started(), snoozed())(start(2, second=24))
    assert given(REQUESTED, started(), snoozed())(start(2, OTHER, 25)) == [started(2, OTHER, 25)]


def test_a_snooze_is_no_failed_attempt() -> None:
    """With two retries there are three attempts, and one more for each snooze."""
    early = (REQUESTED, started(), snoozed(), started(2, second=25), snoozed(2, 50, 30))
    assert given(*early, started(3, second=50))(failure(3, second=52)) == [retry(3, 62, 52)]
    again = (*early, started(3, second=50), retry(3, 62, 52), started(4, second=62), retry(4, 94, 64))
    assert given(*again, started(5, second=94))(failure(5, second=95)) == [
        JobFailed(job_id=JOB, attempt=5, at=at(95), code="disk", message="gone")
    ]


def test_a_job_without_retries_may_snooze_and_then_fails_at_its_first_failure() -> None:
    once = job_requested(policy=JobPolicy(timeout_s=60, max_retries=0))
    assert given(once, started())(snooze()) == [snoozed()]
    [failed] = given(once, started(), snoozed(), started(2, second=25))(failure(2, second=26))
    assert isinstance(failed, JobFailed)


def test_a_snooze_is_heard_once_also_while_the_next_attempt_runs() -> None:
    assert given(REQUESTED, started(), snoozed())(snooze(second=6)) == []
    assert given(REQUESTED, started(), snoozed(), started(2, OTHER, 25))(snooze(second=26)) == []


def test_a_snooze_that_no_longer_counts_is_recorded_once() -> None:
    assert given(REQUESTED, started(), succeeded())(snooze()) == [ignored("snoozed")]
    assert given(REQUESTED, started(), succeeded(), ignored("snoozed"))(snooze()) == []
    assert given(REQUESTED, started())(snooze(lease=OTHER)) == [ignored("snoozed", lease=OTHER)]
    assert given(REQUESTED)(snooze()) == [ignored("snoozed")]
    assert given()(snooze()) == []


def test_a_snoozed_attempt_loses_no_lease_any_more() -> None:
    assert given(REQUESTED, started(), snoozed())(ExpireLease(attempt=1, lease=MINE, at=at(12))) == []


def test_what_a_job_has_heard_stays_small_however_often_it_snoozes() -> None:
    history: list[JobEvent] = [REQUESTED]
    for attempt in range(1, 3 * HEARD_LIMIT):
        history += [started(attempt), snoozed(attempt, 0, 0)]
    state = folded(*history)
    assert not isinstance(state, Unrequested)
    assert len(state.heard) == HEARD_LIMIT
    assert job.decide(snooze(3 * HEARD_LIMIT - 1), state) == []
    assert job.decide(snooze(1), state) == []


def test_a_checkpoint_of_the_current_lease_is_kept() -> None:
    assert given(REQUESTED, started())(checkpoint()) == [checkpointed()]
    assert kept(REQUESTED, started()) == bytes(NOTHING)
    assert kept(REQUESTED, started(), checkpointed()) == b"41"


def test_keeping_the_same_twice_is_nothing_and_something_else_replaces_it() -> None:
    assert given(REQUESTED, started(), checkpointed())(checkpoint(second=9)) == []
    assert given(REQUESTED, started(), checkpointed())(checkpoint(data=b"42")) == [checkpointed(data=b"42")]
    assert kept(REQUESTED, started(), checkpointed(), checkpointed(data=b"42")) == b"42"


@pytest.mark.parametrize(
    "history",
    [
        [],
        [REQUESTED],
        [REQUESTED, started(lease=OTHER)],
        [REQUESTED, started(), retry(1, 15, 5), started(2, MINE, 15)],
        [REQUESTED, started(), snoozed()],
        [REQUESTED, started(), PAUSED],
        [REQUESTED, started(), succeeded()],
    ],
)
def test_a_checkpoint_of_any_other_lease_or_attempt_is_dropped(history: list[JobEvent]) -> None:
    assert given(*history)(checkpoint()) == []


@pytest.mark.parametrize("end", [retry(1, 15, 6), retry(1, 6, 6, "lease_lost"), snoozed(1, 15, 6)])
def test_the_next_attempt_starts_with_what_the_one_before_has_kept(end: JobEvent) -> None:
    before = (REQUESTED, started(), checkpointed(), end)
    assert kept(*before) == b"41"
    assert kept(*before, started(2, OTHER, 15)) == b"41"
    assert given(*before, started(2, OTHER, 15))(checkpoint(2, OTHER)) == []


def test_a_checkpoint_outlives_a_pause_and_the_wait_for_a_device() -> None:
    before = (REQUESTED, started(), checkpointed(), PAUSED)
    assert kept(*before) == kept(*before, RESUMED) == b"41"
    deferred = JobDeferred(job_id=JOB, attempt=2, device="nas", limit=1, at=at(10))
    assert kept(*before, RESUMED, deferred) == kept(*before, RESUMED, deferred, started(2, OTHER, 11)) == b"41"


def test_a_snoozed_job_can_be_paused_and_keeps_all_that_it_had() -> None:
    [paused] = given(REQUESTED, started(), checkpointed(), snoozed())(PauseJob(reason="film", at=at(7)))
    assert isinstance(paused, JobPaused)
    assert (paused.attempt, paused.next_attempt) == (2, 2)
    assert kept(REQUESTED, started(), checkpointed(), snoozed(), paused) == b"41"


def test_the_success_that_counted_although_its_attempt_was_paused_is_nothing_new_afterwards() -> None:
    ended = JobSucceeded(job_id=JOB, attempt=1, at=at(7), result=Raw(b"{}"))
    assert given(REQUESTED, started(), PAUSED)(success(second=7)) == [ended]
    assert given(REQUESTED, started(), PAUSED, ended)(success(second=8)) == []


def test_a_checkpoint_does_not_put_the_deadline_off() -> None:
    state = folded(REQUESTED, started(), checkpointed())
    assert isinstance(state, job.Running)
    assert state.deadline == at(POLICY.timeout_s)
