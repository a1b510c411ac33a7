"""Which job gets a worker next, who is alive, and what is due."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from linstock.messages.schedule import JobPolicy, Passed, Tick
from linstock.messages.work import Running, SignOfLife
from services.scheduler import job, schedule, timing
from services.scheduler.backlog import Backlog, ranked
from services.scheduler.job import Pending
from services.scheduler.schedule import Enabled
from services.scheduler.shares import Shares
from services.scheduler.signs import Crew, Signs
from tests.support.schedules import JOB, NOON, defined, scan_requested, seconds

LEASE = UUID(int=9)
QUEUE = "library-scan"
LATER = NOON + seconds(99)


def pending(number: int, *, priority: int = 5, asked: float = 0, due: float | None = None, attempt: int = 1) -> Pending:
    request = scan_requested(UUID(int=number), at=NOON + seconds(asked), policy=JobPolicy(priority=priority))
    state = job.evolve(job.initial(), request)
    assert isinstance(state, Pending)
    return Pending(facts=state.facts, attempt=attempt, due=state.due if due is None else NOON + seconds(due))


def backlog(*waiting: Pending) -> Backlog:
    made = Backlog()
    for each in waiting:
        made.put(each.facts.job_id, QUEUE, each)
    return made


def taken(made: Backlog, count: int = 100, *, now: datetime = LATER) -> list[int]:
    if QUEUE not in made.ready(now):
        return []
    return [job_id.int for job_id, _ in made.take(QUEUE, count)]


def test_the_most_urgent_comes_first_and_among_equals_the_one_that_waits_longest() -> None:
    made = backlog(pending(1, asked=3), pending(2, asked=1), pending(3, priority=9, asked=8))
    assert taken(made, 2) == [3, 2]
    assert taken(made) == [1]
    assert taken(made) == []


def test_what_is_not_due_waits_aside() -> None:
    made = backlog(pending(1, due=50), pending(2))
    assert taken(made, now=NOON + seconds(10)) == [2]
    assert made.next_due() == NOON + seconds(50)
    assert taken(made, now=NOON + seconds(50)) == [1]


def test_what_no_longer_waits_is_not_taken() -> None:
    made = backlog(pending(1), pending(2))
    made.drop(UUID(int=1))
    assert taken(made) == [2]


def test_a_later_attempt_replaces_an_earlier_one() -> None:
    made = backlog(pending(1), pending(1, attempt=2, due=20))
    assert taken(made, now=NOON + seconds(10)) == []
    assert taken(made, now=NOON + seconds(20)) == [1]


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 10), st.integers(0, 9)), max_size=30))
def test_everything_is_taken_once_in_order(jobs: list[tuple[int, int, int]]) -> None:
    made = backlog(*(pending(number, priority=priority, asked=asked) for number, priority, asked in jobs))
    latest = {number: (-priority, asked, number) for number, priority, asked in jobs}
    found = taken(made)
    assert sorted(found) == sorted(latest)
    assert len(made) == 0


def sign(worker: str, *, slots: int = 4, running: int = 0, leaving: bool = False) -> SignOfLife:
    names = tuple(Running(job_id=JOB, attempt=1, lease=LEASE) for _ in range(running))
    return SignOfLife(worker=worker, queues=(QUEUE,), slots=slots, running=names, leaving=leaving)


def test_free_slots_are_those_of_workers_that_are_there_and_stay() -> None:
    signs = Signs(timeout_s=7)
    signs.hear(sign("a", running=1), 0)
    signs.hear(sign("b", slots=2), 5)
    signs.hear(sign("c", leaving=True), 5)
    assert [(crew.worker, crew.slots - crew.running) for crew in signs.crews(7)] == [("a", 3), ("b", 2)]
    assert [crew.worker for crew in signs.crews(8)] == ["b"]
    assert signs.crews(7, lambda worker: len(worker))[0].running == 1


def crew(worker: str = "w", *lanes: str, slots: int = 4, running: int = 0, weights: tuple[int, ...] = ()) -> Crew:
    return Crew(worker=worker, lanes=lanes or ("a",), weights=weights, slots=slots, running=running)


def test_orders_are_put_for_free_slots_and_a_few_more() -> None:
    shares = Shares(reserve=2)
    assert shares.of([crew(running=1)], {"a": 100}, {}) == {"a": 5}
    assert shares.of([crew(running=1)], {"a": 100}, {"a": 4}) == {"a": 1}
    assert shares.of([crew(running=1), crew("v", running=4)], {"a": 100}, {"a": 6}) == {"a": 1}
    assert shares.of([crew(running=9)], {"a": 100}, {"a": 2}) == {}
    assert shares.of([], {"nobody's": 100}, {}) == {"nobody's": 2}


def test_a_more_important_lane_goes_first() -> None:
    shares = Shares(reserve=0)
    assert shares.of([crew("w", "high", "low")], {"high": 3, "low": 9}, {}) == {"high": 3, "low": 1}
    assert shares.of([crew("w", "high", "low")], {"high": 9, "low": 9}, {}) == {"high": 4}
    both = [crew("w", "high", "low"), crew("v", "low")]
    assert shares.of(both, {"high": 9, "low": 9}, {}) == {"high": 4, "low": 4}


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.lists(st.integers(1, 5), min_size=60, max_size=60))
def test_weighted_lanes_share_in_proportion_over_time(weights: tuple[int, int], rooms: list[int]) -> None:
    shares, given_to = Shares(reserve=0), Counter[str]()
    for room in rooms:
        given_to.update(shares.of([crew("w", "a", "b", slots=room, weights=weights)], {"a": 99, "b": 99}, {}))
    part = weights[0] / sum(weights)
    assert abs(given_to["a"] - part * sum(rooms)) <= 2
    alone = shares.of([crew("w", "a", "b", slots=7, weights=weights)], {"b": 99}, {})
    assert alone == {"b": 7}


def test_what_waits_grows_more_urgent() -> None:
    waiting = pending(1, priority=5, asked=0)
    assert ranked(pending(2, priority=6, asked=59).facts) < ranked(waiting.facts)
    assert ranked(waiting.facts) < ranked(pending(2, priority=6, asked=61).facts)


def test_a_lease_is_alive_while_some_sign_names_it() -> None:
    signs = Signs(timeout_s=7)
    assert signs.heard(LEASE) is None
    signs.hear(sign("a", running=1), 3)
    signs.hear(sign("a"), 5)
    assert signs.heard(LEASE) == 3
    signs.forget(3 + 71)
    assert signs.heard(LEASE) is None


def enabled(cron: str = "* * * * * *") -> Enabled:
    state = schedule.evolve(schedule.initial(), defined(cron=cron))
    assert isinstance(state, Enabled)
    return state


def proposed(until: float) -> Tick | None:
    return timing.proposal(enabled(), NOON + seconds(until), busy=None, tzdata="2026a")


def test_what_is_due_is_proposed_with_what_was_missed_before_it_only_counted() -> None:
    assert proposed(0.9) is None
    one, many = proposed(1), proposed(100)
    assert one
    assert many
    assert (one.instants, one.passed) == ((NOON + seconds(1),), ())
    assert many.instants == (NOON + seconds(100),)
    missed = Passed(first=NOON + seconds(1), last=NOON + seconds(99), count=99, reason="misfire")
    assert many.passed == (missed,)
