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
    assert (pace.widened(), pace.ahead) == (0, 0)


def test_as_many_as_get_done_while_a_claim_is_answered() -> None:
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.005).ahead == 39
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=1.0).ahead == 0
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.0).ahead == 400
    assert told(Pace(20, most_ahead=0), claim_s=0.010, run_s=0.0).ahead == 0


def test_jobs_that_become_long_are_not_held() -> None:
    pace = told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.0)
    assert told(pace, claim_s=0.010, run_s=2.0).ahead == 0


def test_what_waited_in_vain_was_the_last_to_be_claimed_ahead() -> None:
    pace = told(Pace(1_000, most_ahead=400), claim_s=0.010, run_s=0.001)
    pace.waited_in_vain(pace.patience_s)
    assert (pace.widened(), pace.ahead) == (-400, 0)
    assert told(pace, claim_s=0.010, run_s=0.001).ahead == 400


def test_patience_is_a_second_or_as_long_as_claims_take_by_now() -> None:
    assert told(Pace(20, most_ahead=400), claim_s=0.010, run_s=0.001).patience_s == 1.0
    assert round(told(Pace(20, most_ahead=400), claim_s=2.0, run_s=0.001).patience_s, 3) == 6.0
