"""What a job does with claims, outcomes and time: given / when / then."""

from functools import reduce

import msgspec
import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from linstock.messages.job import (
    CancelJob,
    DeferAttempt,
    ExpireDeadline,
    ExpireLease,
    JobCancelled,
    JobCommand,
    JobDeferred,
    JobEvent,
    JobFailed,
    JobPaused,
    JobResumed,
    JobSucceeded,
    JobTimedOut,
    PauseJob,
    ReportFailure,
    ResumeJob,
    StartAttempt,
)
from linstock.messages.schedule import JobPolicy
from services.scheduler import job
from services.scheduler.job import ClaimRefused
from tests.support.jobs import (
    MINE,
    OTHER,
    POLICY,
    at,
    failure,
    given,
    ignored,
    retry,
    start,
    started,
    succeeded,
    success,
)
from tests.support.schedules import JOB, job_requested, scan_requested

REQUESTED = scan_requested(policy=POLICY)

SUCCEEDED = succeeded()
FAILED = JobFailed(job_id=JOB, attempt=3, at=at(5), code="disk", message="gone")
LOST = "worker w1 gave no sign of life"


def test_a_claim_starts_the_attempt_until_its_deadline() -> None:
    assert given(REQUESTED)(start()) == [started()]


def test_the_same_claim_asked_twice_gets_the_same_yes() -> None:
    assert given(REQUESTED, started())(start()) == []


@pytest.mark.parametrize(
    ("history", "claim", "why"),
    [
        ([], start(), "unknown"),
        ([REQUESTED, started()], start(lease=OTHER), "taken"),
        ([REQUESTED, started(), SUCCEEDED], start(), "closed"),
        ([REQUESTED, started(), retry(1, 15, 5)], start(), "superseded"),
        ([REQUESTED], start(attempt=2), "superseded"),
        ([REQUESTED, started(), retry(1, 15, 5)], start(attempt=2, second=14), "not_due"),
    ],
)
def test_a_claim_is_refused_with_the_reason(history: list[JobEvent], claim: StartAttempt, why: str) -> None:
    with pytest.raises(ClaimRefused) as refused:
        given(*history)(claim)
    assert refused.value.why == why


def test_a_success_closes_the_job_and_hearing_it_again_is_nothing_new() -> None:
    assert given(REQUESTED, started())(success()) == [SUCCEEDED]
    assert given(REQUESTED, started(), SUCCEEDED)(success()) == []


def test_a_failure_is_retried_after_the_delays_of_the_policy_until_they_are_used_up() -> None:
    assert given(REQUESTED, started())(failure()) == [retry(1, 15, 5)]
    second: list[JobEvent] = [REQUESTED, started(), retry(1, 15, 5), started(2)]
    assert given(*second)(failure(2)) == [retry(2, 35, 5)]
    assert given(*second, retry(2, 35, 5), started(3))(failure(3)) == [FAILED]


def test_the_last_delay_repeats_and_no_delays_mean_at_once() -> None:
    many = scan_requested(policy=JobPolicy(max_retries=5, retry_delays_s=(1,)))
    assert given(many, started(4))(failure(4)) == [retry(4, 6, 5)]
    none = scan_requested(policy=JobPolicy(max_retries=5, retry_delays_s=()))
    assert given(none, started())(failure()) == [retry(1, 5, 5)]


def test_a_final_failure_is_not_retried() -> None:
    failed = JobFailed(job_id=JOB, attempt=1, at=at(5), code="disk", message="gone")
    assert given(REQUESTED, started())(failure(final=True)) == [failed]


def test_a_lost_lease_re_runs_the_job_at_once() -> None:
    expire = ExpireLease(attempt=1, lease=MINE, at=at(7))
    assert given(REQUESTED, started())(expire) == [retry(1, 7, 7, "lease_lost", LOST)]
    assert given(REQUESTED, started(), retry(1, 7, 7, "lease_lost", LOST))(expire) == []
    assert given(REQUESTED, started(lease=OTHER))(expire) == []
    assert given(REQUESTED, started(), SUCCEEDED)(expire) == []


def test_a_lease_lost_in_the_last_attempt_fails_the_job() -> None:
    failed = JobFailed(job_id=JOB, attempt=3, at=at(7), code="lease_lost", message=LOST)
    assert given(REQUESTED, started(3))(ExpireLease(attempt=3, lease=MINE, at=at(7))) == [failed]


def test_an_attempt_past_its_deadline_times_the_job_out_and_not_before() -> None:
    assert given(REQUESTED, started())(ExpireDeadline(attempt=1, worked_until=at(60), at=at(60))) == [
        JobTimedOut(job_id=JOB, attempt=1, at=at(60))
    ]
    assert given(REQUESTED, started())(ExpireDeadline(attempt=1, worked_until=at(59), at=at(59))) == []
    assert given(REQUESTED)(ExpireDeadline(attempt=1, worked_until=at(99), at=at(99))) == []


def test_an_open_job_can_be_cancelled_once() -> None:
    cancel = CancelJob(job_id=JOB, reason="library deleted", at=at(3))
    cancelled = JobCancelled(job_id=JOB, attempt=1, at=at(3), reason="library deleted")
    assert given(REQUESTED)(cancel) == [cancelled]
    assert given(REQUESTED, started())(cancel) == [cancelled]
    assert given(REQUESTED, cancelled)(cancel) == []
    assert given(REQUESTED, started(), SUCCEEDED)(cancel) == []


def test_an_outcome_that_no_longer_counts_is_recorded_once() -> None:
    superseded: list[JobEvent] = [REQUESTED, started(), retry(1, 7, 7, "lease_lost", LOST), started(2, OTHER)]
    assert given(*superseded)(success()) == [ignored("succeeded")]
    assert given(*superseded, ignored("succeeded"))(success()) == []
    assert given(*superseded, ignored("succeeded"))(failure()) == [ignored("failed")]
    assert given(REQUESTED, started(), SUCCEEDED)(failure()) == [ignored("failed")]


def test_a_failure_heard_again_after_its_retry_began_is_nothing_new() -> None:
    assert given(REQUESTED, started(), retry(1, 15, 5), started(2, OTHER))(failure()) == []


def test_a_worker_cannot_speak_for_the_lease_watch() -> None:
    claimed = ReportFailure(attempt=1, lease=MINE, at=at(5), code="lease_lost", message="")
    [event] = given(REQUESTED, started())(claimed)
    assert given(REQUESTED, started(), event)(claimed) == []


def test_any_job_type_is_run_the_same_way() -> None:
    assert given(job_requested(policy=POLICY))(start()) == [started()]


attempts, leases, times = st.integers(1, 4), st.sampled_from([MINE, OTHER]), st.integers(0, 200)
commands = st.lists(
    st.one_of(
        st.builds(start, attempts, leases, times),
        st.builds(start, attempts, leases, times),
        st.builds(success, attempts, leases, times),
        st.builds(lambda a, lease, t, final: failure(a, lease, t, final=final), attempts, leases, times, st.booleans()),
        st.builds(lambda a, lease, t: ExpireLease(attempt=a, lease=lease, at=at(t)), attempts, leases, times),
        st.builds(lambda a, t: ExpireDeadline(attempt=a, worked_until=at(t), at=at(t)), attempts, times),
        st.builds(lambda t: CancelJob(job_id=JOB, reason="x", at=at(t)), times),
    ),
    max_size=20,
)
FINAL = JobSucceeded | JobFailed | JobTimedOut | JobCancelled
SOME_EVENTS = [REQUESTED, job_requested(), started(), started(2, OTHER), retry(1, 7, 7), SUCCEEDED, FAILED]


@sampled(st.lists(st.sampled_from([*SOME_EVENTS, ignored("failed")]), max_size=8))
def test_every_history_can_be_folded_and_the_state_survives_a_snapshot(history: list[JobEvent]) -> None:
    state = reduce(job.evolve, history, job.initial())
    assert msgspec.json.decode(msgspec.json.encode(state), type=job.Job) == state


def ask(command: JobCommand, state: job.Job) -> list[JobEvent]:
    try:
        return job.decide(command, state)
    except ClaimRefused:
        return []


@sampled(commands, st.data())
def test_deciding_twice_adds_nothing_and_a_job_has_one_final_verdict(
    asked: list[JobCommand], data: st.DataObject
) -> None:
    history: list[JobEvent] = [REQUESTED]
    state = reduce(job.evolve, history, job.initial())
    for command in asked:
        new = ask(command, state)
        history += new
        state = reduce(job.evolve, new, state)
        assert ask(command, state) == []
    verdicts = [event for event in history if isinstance(event, FINAL)]
    assert len(verdicts) == isinstance(state, job.Closed)
    split = data.draw(st.integers(0, len(history)))
    part = reduce(job.evolve, history[:split], job.initial())
    assert reduce(job.evolve, history[split:], part) == state


def paused(attempt: int, next_attempt: int, second: float = 5) -> JobPaused:
    return JobPaused(job_id=JOB, attempt=attempt, next_attempt=next_attempt, reason="film", at=at(second))


PAUSE, RESUME = PauseJob(reason="film", at=at(5)), ResumeJob(reason="over", at=at(9))
RESUMED = JobResumed(job_id=JOB, attempt=2, reason="over", at=at(9))


def test_a_running_attempt_that_is_paused_is_over_and_another_one_waits() -> None:
    assert given(REQUESTED, started())(PAUSE) == [paused(1, 2)]


def test_a_job_that_waits_rests_with_the_attempt_that_was_wanted() -> None:
    assert given(REQUESTED)(PAUSE) == [paused(1, 1)]


def test_pausing_and_resuming_twice_is_once() -> None:
    assert given(REQUESTED, started(), paused(1, 2))(PAUSE) == []
    assert given(REQUESTED)(RESUME) == []
    assert given(REQUESTED, started(), SUCCEEDED)(PAUSE) == []


def test_nobody_claims_a_paused_job_and_no_time_runs_out() -> None:
    tell = given(REQUESTED, started(), paused(1, 2))
    with pytest.raises(ClaimRefused, match="paused"):
        tell(start(attempt=2, second=8))
    assert tell(ExpireLease(attempt=1, lease=MINE, at=at(1000))) == []
    assert tell(ExpireDeadline(attempt=1, worked_until=at(1000), at=at(1000))) == []


def test_a_resumed_job_is_claimed_as_another_attempt_with_a_deadline_of_its_own() -> None:
    tell = given(REQUESTED, started(), paused(1, 2))
    assert tell(RESUME) == [RESUMED]
    assert given(REQUESTED, started(), paused(1, 2), RESUMED)(start(attempt=2, lease=OTHER, second=10)) == [
        started(attempt=2, lease=OTHER, second=10)
    ]


def test_a_pause_is_no_failure() -> None:
    """With two retries there are three attempts, and one more for each pause."""
    before = (REQUESTED, started(), paused(1, 2), RESUMED, started(2, second=10), retry(2, 20, 12))
    assert given(*before, started(3, second=20))(failure(attempt=3, second=22)) == [retry(3, 52, 22)]


def test_an_attempt_that_completed_before_it_heard_of_the_pause_has_completed() -> None:
    assert given(REQUESTED, started(), paused(1, 2))(success(second=6)) == [
        JobSucceeded(job_id=JOB, attempt=1, at=at(6), result=msgspec.Raw(b"{}"))
    ]
    assert given(REQUESTED, started(), paused(1, 2))(success(lease=OTHER, second=6)) == [
        ignored("succeeded", lease=OTHER, second=6)
    ]


def test_a_paused_job_can_be_cancelled() -> None:
    cancelled = JobCancelled(job_id=JOB, attempt=2, at=at(7), reason="enough")
    assert given(REQUESTED, started(), paused(1, 2))(CancelJob(job_id=JOB, reason="enough", at=at(7))) == [cancelled]


def test_an_attempt_that_must_wait_for_its_device_says_so_once() -> None:
    command = DeferAttempt(attempt=1, device="nas/sda", limit=2, at=at(1))
    deferred = JobDeferred(job_id=JOB, attempt=1, device="nas/sda", limit=2, at=at(1))
    assert given(REQUESTED)(command) == [deferred]
    assert given(REQUESTED, deferred)(command) == []
    assert given(REQUESTED, started())(command) == []
    assert given(REQUESTED, deferred)(start()) == [started()]
