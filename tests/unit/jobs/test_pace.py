"""How far ahead of its slots a worker claims."""

from linstock.jobs.pace import Pace


def told(pace: Pace, *, claim_s: float, run_s: float, times: int = 500) -> Pace:
    for _ in range(times):
        pace.claimed(claim_s)
        pace.ran(run_s)
    pace.widened()
    return pace


def test_nothing_is_claimed_ahead_before_anything_has_run() -> None:
    pace = Pace(20, most_ahead=400)
    pace.claimed(0.01)
    assert (pace.widened(), pace.capacity) == (0, 20)


def test_as_many_as_get_done_while_a_claim_is_answered() -> None:
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.005).capacity == 20 + 39
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=1.0).capacity == 20
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.0).capacity == 420
    assert told(Pace(20, most_ahead=0), claim_s=0.010, run_s=0.0).capacity == 20


def test_jobs_that_become_long_are_not_held() -> None:
    pace = told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.0)
    assert told(pace, claim_s=0.010, run_s=2.0).capacity == 20
