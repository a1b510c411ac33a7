"""Which job gets a worker next, who is alive, and what is due."""

from datetime import datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from linstock.messages.schedule import JobPolicy, Passed, Tick
from linstock.messages.work import Running, SignOfLife
from services.scheduler import job, schedule, timing
from services.scheduler.backlog import Backlog
from services.scheduler.job import Pending
from services.scheduler.schedule import Enabled
from services.scheduler.signs import Signs
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
        made.put(each.facts.job_id, each)
    return made


def taken(made: Backlog, count: int = 100, *, now: datetime = LATER) -> list[int]:
    if QUEUE not in made.queues(now):
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
    assert signs.free_slots(QUEUE, 7) == 5
    assert signs.free_slots(QUEUE, 8) == 2
    assert signs.free_slots("other", 7) == 0


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
