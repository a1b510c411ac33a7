"""What a job does that waits for the end of others: given / when / then."""

from uuid import UUID

import pytest

from linstock.messages.job import (
    After,
    CancelJob,
    DeferAttempt,
    ExpireDeadline,
    ExpireLease,
    JobCancelled,
    JobRequested,
    PauseJob,
    ResumeJob,
)
from services.scheduler.job import Awaiting, ClaimRefused, Pending
from tests.support.jobs import (
    MINE,
    POLICY,
    at,
    checkpoint,
    folded,
    follow,
    given,
    ignored,
    released,
    start,
    started,
    succeeded,
    success,
)
from tests.support.schedules import JOB, job_requested

FIRST, SECOND, STRANGER = UUID(int=11), UUID(int=12), UUID(int=13)
SAID = {"succeeded": "succeeded", "failed": "failed", "timed_out": "timed out", "cancelled": "been cancelled"}
BAD = [verdict for verdict in SAID if verdict != "succeeded"]


def waiting(*parents: UUID, on: str = "success") -> JobRequested:
    return job_requested(policy=POLICY, after=tuple(After(job_id=each, on=on) for each in parents))


def cancelled(reason: str) -> JobCancelled:
    return JobCancelled(job_id=JOB, attempt=1, at=at(5), reason=reason)


def test_nobody_claims_a_job_that_waits_for_another() -> None:
    with pytest.raises(ClaimRefused) as refused:
        given(waiting(FIRST))(start())
    assert refused.value.why == "waits"


def test_the_success_of_its_parent_releases_it_and_then_it_may_be_claimed() -> None:
    assert given(waiting(FIRST))(follow(FIRST, "succeeded")) == [released(FIRST)]
    assert given(waiting(FIRST), released(FIRST))(start(second=5)) == [started(second=5)]


@pytest.mark.parametrize("verdict", BAD)
def test_a_bad_end_of_a_parent_whose_success_it_waited_for_cancels_it_and_says_why(verdict: str) -> None:
    reason = f"it waited for the success of job {FIRST}, which has {SAID[verdict]}"
    assert given(waiting(FIRST))(follow(FIRST, verdict)) == [cancelled(reason)]


@pytest.mark.parametrize("verdict", BAD)
def test_every_bad_end_is_the_failure_that_a_rescue_waits_for(verdict: str) -> None:
    assert given(waiting(FIRST, on="failure"))(follow(FIRST, verdict)) == [released(FIRST)]


def test_a_rescue_is_cancelled_when_there_is_nothing_to_rescue() -> None:
    reason = f"it waited for the failure of job {FIRST}, which has succeeded"
    assert given(waiting(FIRST, on="failure"))(follow(FIRST, "succeeded")) == [cancelled(reason)]


@pytest.mark.parametrize("verdict", SAID)
def test_one_that_waits_for_either_end_is_released_by_any(verdict: str) -> None:
    assert given(waiting(FIRST, on="either"))(follow(FIRST, verdict)) == [released(FIRST)]


def test_of_several_parents_all_have_to_end_well_in_any_order() -> None:
    both = waiting(FIRST, SECOND)
    assert given(both)(follow(SECOND, "succeeded")) == [released(SECOND)]
    with pytest.raises(ClaimRefused, match="waits"):
        given(both, released(SECOND))(start(second=9))
    assert given(both, released(SECOND))(follow(FIRST, "succeeded", 7)) == [released(FIRST, 7)]
    assert given(both, released(SECOND), released(FIRST, 7))(start(second=9)) == [started(second=9)]


def test_the_first_parent_that_ends_badly_cancels_it_whatever_the_others_do() -> None:
    reason = f"it waited for the success of job {SECOND}, which has failed"
    both = waiting(FIRST, SECOND)
    assert given(both, released(FIRST))(follow(SECOND, "failed")) == [cancelled(reason)]
    assert given(both, cancelled(reason))(follow(FIRST, "succeeded")) == []


def test_one_parent_wanted_in_two_ways_has_to_satisfy_both_and_the_reason_names_what_it_did_not() -> None:
    contradictory = job_requested(after=(After(job_id=FIRST, on="success"), After(job_id=FIRST, on="failure")))
    reason = f"it waited for the failure of job {FIRST}, which has succeeded"
    assert given(contradictory)(follow(FIRST, "succeeded")) == [cancelled(reason)]
    satisfied = job_requested(after=(After(job_id=FIRST, on="success"), After(job_id=FIRST, on="either")))
    assert given(satisfied)(follow(FIRST, "succeeded")) == [released(FIRST)]
    assert isinstance(folded(satisfied, released(FIRST)), Pending)


def test_hearing_of_a_parent_again_or_of_a_stranger_is_nothing_new() -> None:
    both = waiting(FIRST, SECOND)
    assert given(both, released(FIRST))(follow(FIRST, "succeeded")) == []
    assert given(both, released(FIRST))(follow(FIRST, "failed")) == []
    assert given(both)(follow(STRANGER, "failed")) == []
    assert given(waiting(FIRST), released(FIRST))(follow(FIRST, "succeeded")) == []
    assert given(waiting(FIRST), released(FIRST), started(), succeeded())(follow(FIRST, "failed")) == []
    assert given()(follow(FIRST, "failed")) == []


def test_a_job_that_waits_can_be_cancelled_and_stays_it() -> None:
    cancel = CancelJob(job_id=JOB, reason="not wanted", at=at(5))
    assert given(waiting(FIRST))(cancel) == [cancelled("not wanted")]
    assert given(waiting(FIRST), cancelled("not wanted"))(cancel) == []
    assert given(waiting(FIRST), cancelled("not wanted"))(follow(FIRST, "succeeded")) == []


def test_a_released_job_still_waits_for_its_time() -> None:
    later = job_requested(policy=POLICY, after=(After(job_id=FIRST),), not_before=at(100))
    with pytest.raises(ClaimRefused, match="not_due"):
        given(later, released(FIRST))(start(second=99))
    assert given(later, released(FIRST))(start(second=100)) == [started(second=100)]
    with pytest.raises(ClaimRefused, match="not_due"):
        given(waiting(FIRST), released(FIRST, 50))(start(second=49))


def test_what_happens_to_attempts_says_nothing_to_one_that_has_none_yet() -> None:
    tell = given(waiting(FIRST))
    assert tell(ExpireLease(attempt=1, lease=MINE, at=at(99))) == []
    assert tell(ExpireDeadline(attempt=1, worked_until=at(9999), at=at(9999))) == []
    assert tell(DeferAttempt(attempt=1, device="nas", limit=1, at=at(5))) == []
    assert tell(PauseJob(reason="film", at=at(5))) == []
    assert tell(ResumeJob(reason="over", at=at(5))) == []
    assert tell(checkpoint()) == []


def test_an_outcome_of_a_job_that_waits_is_recorded_once_also_after_its_release() -> None:
    assert given(waiting(FIRST))(success()) == [ignored("succeeded")]
    heard = (waiting(FIRST), ignored("succeeded"))
    assert isinstance(folded(*heard), Awaiting)
    assert given(*heard)(success()) == []
    assert given(*heard, released(FIRST))(success()) == []
