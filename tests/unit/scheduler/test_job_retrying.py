"""Which failures are retried, and when: given / when / then, and the bounds of what grows."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from linstock.messages.job import JobEvent, JobFailed, JobRetryScheduled
from linstock.messages.schedule import Backoff, JobPolicy
from services.scheduler.job import retrying
from tests.support.jobs import at, failure, given, retry, snoozed, started
from tests.support.schedules import JOB, job_requested

TRACE = ("ConnectionResetError", "ConnectionError", "OSError", "Exception")


def decided(policy: JobPolicy, *, code: str = TRACE[0], kinds: tuple[str, ...] = TRACE) -> JobEvent:
    [event] = given(job_requested(policy=policy), started())(failure(code=code, kinds=kinds))
    return event


@pytest.mark.parametrize("name", TRACE)
def test_a_class_in_retry_on_means_all_that_derive_from_it(name: str) -> None:
    assert isinstance(decided(JobPolicy(retry_on=(name,))), JobRetryScheduled)


@pytest.mark.parametrize("name", TRACE)
def test_a_class_in_never_on_means_all_that_derive_from_it(name: str) -> None:
    assert isinstance(decided(JobPolicy(never_on=(name,))), JobFailed)


def test_what_is_in_neither_list_is_retried_only_if_nothing_is_named() -> None:
    assert isinstance(decided(JobPolicy()), JobRetryScheduled)
    assert isinstance(decided(JobPolicy(retry_on=("ValueError", "KeyError"))), JobFailed)
    assert isinstance(decided(JobPolicy(never_on=("ValueError",))), JobRetryScheduled)


def test_never_wins_over_retry() -> None:
    assert isinstance(decided(JobPolicy(retry_on=("OSError",), never_on=("ConnectionError",))), JobFailed)
    assert isinstance(decided(JobPolicy(retry_on=("OSError",), never_on=("TimeoutError",))), JobRetryScheduled)


def test_a_worker_that_does_not_know_classes_is_judged_by_its_code() -> None:
    assert isinstance(decided(JobPolicy(retry_on=("disk",)), code="disk", kinds=()), JobRetryScheduled)
    assert isinstance(decided(JobPolicy(never_on=("disk",)), code="disk", kinds=()), JobFailed)
    assert isinstance(decided(JobPolicy(retry_on=("OSError",)), code="disk", kinds=()), JobFailed)


def test_a_part_of_a_name_is_no_class() -> None:
    assert isinstance(decided(JobPolicy(retry_on=("Connection",))), JobFailed)


@pytest.mark.parametrize(
    ("delays", "expected"),
    [((), [0, 0, 0]), ((7,), [7, 7, 7]), ((1, 2), [1, 2, 2]), ((5, 1, 9, 99), [5, 1, 9]), ((0.5,), [0.5, 0.5, 0.5])],
)
def test_delays_come_in_their_order_and_the_last_repeats(delays: tuple[float, ...], expected: list[float]) -> None:
    policy = JobPolicy(retry_delays_s=delays)
    assert [retrying.delay_s(policy, JOB, each) for each in (1, 2, 3)] == expected


def test_delays_are_counted_by_failures_not_by_attempts() -> None:
    policy = JobPolicy(timeout_s=60, retry_delays_s=(10, 30))
    before = (job_requested(policy=policy), started(), snoozed(), started(2, second=25))
    assert given(*before)(failure(2, second=26)) == [retry(2, 36, 26)]


def test_backoff_grows_by_its_factor_up_to_the_most() -> None:
    policy = JobPolicy(backoff=Backoff(first_s=3, factor=2, most_s=20, jitter=0))
    assert [retrying.delay_s(policy, JOB, each) for each in range(1, 6)] == [3, 6, 12, 20, 20]
    [event] = given(job_requested(policy=policy), started())(failure())
    assert isinstance(event, JobRetryScheduled)
    assert event.due == at(5 + 3)


def test_backoff_goes_before_delays() -> None:
    policy = JobPolicy(retry_delays_s=(99,), backoff=Backoff(first_s=3, jitter=0))
    assert retrying.delay_s(policy, JOB, 1) == 3


backoffs = st.builds(
    Backoff,
    first_s=st.floats(0, 4e8),
    factor=st.floats(1, 100),
    most_s=st.floats(0, 4e8),
    jitter=st.floats(0, 1),
)


@sampled(backoffs, st.uuids(), st.integers(1, 1_001))
def test_a_delay_is_never_longer_than_the_most_nor_shorter_than_jitter_allows(
    backoff: Backoff, job_id: UUID, number: int
) -> None:
    policy = JobPolicy(backoff=backoff)
    delay_s = retrying.delay_s(policy, job_id, number)
    most_s = min(backoff.most_s, retrying.LONGEST_S)
    least_s = min(backoff.first_s, most_s) * (1 - backoff.jitter)
    assert least_s * 0.999_999 <= delay_s <= most_s
    assert retrying.delay_s(policy, job_id, number) == delay_s


@sampled(backoffs, st.uuids())
def test_without_jitter_delays_never_shrink(backoff: Backoff, job_id: UUID) -> None:
    steady = JobPolicy(backoff=Backoff(first_s=backoff.first_s, factor=backoff.factor, most_s=backoff.most_s, jitter=0))
    delays = [retrying.delay_s(steady, job_id, each) for each in (1, 2, 3, 50, 154, 155, 156, 500, 1_001)]
    assert all(later >= earlier for earlier, later in pairwise(delays))


def test_the_chance_of_a_job_and_retry_is_the_same_for_ever() -> None:
    """Recorded: a rule that changes would make two versions that run side by side disagree."""
    policy = JobPolicy(backoff=Backoff(first_s=100, factor=1, most_s=100, jitter=1))
    delays = [round(retrying.delay_s(policy, JOB, each), 4) for each in (1, 2, 3)]
    assert delays == [93.6111, 87.0468, 1.8336]


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    policy = JobPolicy(backoff=Backoff(first_s=100, factor=1, jitter=0.5))
    delays = {retrying.delay_s(policy, UUID(int=each), 1) for each in range(1_000)}
    assert len(delays) == 1_000
    assert min(delays) < 55
    assert max(delays) > 95


@pytest.mark.parametrize("factor", [2, 100, 100.0])
def test_a_thousand_retries_do_not_overflow(factor: float) -> None:
    policy = JobPolicy(backoff=Backoff(first_s=10, factor=factor, most_s=4e8, jitter=0))
    assert retrying.delay_s(policy, JOB, 1_001) == retrying.LONGEST_S


def test_a_backoff_that_begins_at_once_never_grows() -> None:
    policy = JobPolicy(backoff=Backoff(first_s=0.0, factor=100.0, most_s=3600, jitter=0))
    assert {retrying.delay_s(policy, JOB, each) for each in (1, 2, 154, 155, 156, 1_001)} == {0}
