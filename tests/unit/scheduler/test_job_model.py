"""One job and those that wait for it, against a plain model, in any order of what may happen to them."""

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from linstock.messages.job import (
    CancelJob,
    ExpireDeadline,
    ExpireLease,
    PauseJob,
    ResumeJob,
)
from tests.support.jobs import at, checkpoint, failure, follow, snooze, start, success
from tests.support.schedules import JOB
from tests.unit.scheduler.told_job import ENDS, Told

LEASES = [UUID(int=each) for each in (1, 2)]
HOW = ["success", *["failure"] * 4, *["snooze"] * 3, *["checkpoint"] * 2]  # most of them go on
PARENTS = [UUID(int=each) for each in (11, 12)]

leases = st.sampled_from(LEASES)
ons = st.sampled_from(list(ENDS))
steps_s = st.integers(0, 40)


class OneJob(RuleBasedStateMachine):
    """`job` is what everything happens to; `children` wait for its end."""

    now = 0
    job: Told
    children: list[Told]

    @initialize(
        max_retries=st.integers(0, 2),
        after=st.one_of(st.just({}), st.dictionaries(st.sampled_from(PARENTS), ons, max_size=2)),
        waiting=st.lists(ons, min_size=1, max_size=3),
    )
    def is_requested(self, max_retries: int, after: dict[UUID, str], waiting: list[str]) -> None:
        self.job = Told(JOB, max_retries, after)
        self.children = [Told(UUID(int=100 + place), 0, {JOB: on}) for place, on in enumerate(waiting)]

    @rule(by_s=steps_s)
    def time_moves(self, by_s: int) -> None:
        self.now += by_s

    @rule(lease=leases)
    def the_wanted_attempt_is_claimed(self, lease: UUID) -> None:
        self._claimed(self.job.plain.attempt, lease)

    @rule(lease=leases)
    def it_is_claimed_as_soon_as_it_is_due(self, lease: UUID) -> None:
        self.now = max(self.now, self.job.plain.due)
        self._claimed(self.job.plain.attempt, lease)

    @precondition(lambda self: self.job.plain.status == "pending")
    @rule(lease=leases, how=st.data())
    def it_is_run(self, lease: UUID, how: st.DataObject) -> None:
        self.it_is_claimed_as_soon_as_it_is_due(lease)
        self._said(self.job.plain.attempt, lease, how)

    @rule(lease=leases, attempt=st.integers(1, 4))
    def some_attempt_is_claimed(self, lease: UUID, attempt: int) -> None:
        self._claimed(attempt, lease)

    def _claimed(self, attempt: int, lease: UUID) -> None:
        self.job.tell(start(attempt, lease, self.now), self.job.plain.claim(attempt, lease, self.now))

    @rule(lease=leases, attempt=st.integers(1, 4), how=st.data())
    def somebody_says_something(self, lease: UUID, attempt: int, how: st.DataObject) -> None:
        self._said(attempt, lease, how)

    @precondition(lambda self: self.job.plain.status == "running")
    @rule(how=st.data())
    def its_worker_says_something(self, how: st.DataObject) -> None:
        assert self.job.plain.lease
        self._said(self.job.plain.attempt, self.job.plain.lease, how)

    @precondition(lambda self: self.job.plain.rested)
    @rule(how=st.data())
    def the_worker_that_was_paused_says_something(self, how: st.DataObject) -> None:
        assert self.job.plain.rested
        self._said(*self.job.plain.rested, how)

    def _said(self, attempt: int, lease: UUID, how: st.DataObject) -> None:
        plain, now = self.job.plain, self.now
        match how.draw(st.sampled_from(HOW)):
            case "success":
                self.job.tell(success(attempt, lease, now), plain.succeeds(attempt, lease))
            case "failure":
                final = how.draw(st.sampled_from([*[False] * 5, True]))
                expected = plain.fails(attempt, lease, now, final=final)
                self.job.tell(failure(attempt, lease, now, final=final), expected)
            case "snooze":
                for_s = how.draw(steps_s)
                self.job.tell(snooze(attempt, lease, now, for_s), plain.snoozes(attempt, lease, now, for_s))
            case _:
                data = how.draw(st.sampled_from([b"1", b"2"]))
                self.job.tell(checkpoint(attempt, lease, now, data), plain.keeps(attempt, lease, data))

    @rule(lease=leases, attempt=st.integers(1, 4))
    def some_lease_expires(self, lease: UUID, attempt: int) -> None:
        self._expired(attempt, lease)

    @precondition(lambda self: self.job.plain.status == "running")
    @rule()
    def its_lease_expires(self) -> None:
        assert self.job.plain.lease
        self._expired(self.job.plain.attempt, self.job.plain.lease)

    def _expired(self, attempt: int, lease: UUID) -> None:
        command = ExpireLease(attempt=attempt, lease=lease, at=at(self.now))
        self.job.tell(command, self.job.plain.loses_lease(attempt, lease, self.now))

    @rule(before=st.integers(0, 1))
    def its_deadline_is_looked_at(self, before: int) -> None:
        attempt = max(1, self.job.plain.attempt - before)
        command = ExpireDeadline(attempt=attempt, worked_until=at(self.now), at=at(self.now))
        self.job.tell(command, self.job.plain.time_passes(attempt, self.now))

    @rule(how=st.sampled_from([*["pause", "resume"] * 4, "cancel"]))
    def somebody_wants_something(self, how: str) -> None:
        match how:
            case "pause":
                self.job.tell(PauseJob(reason="film", at=at(self.now)), self.job.plain.pauses(self.now))
            case "resume":
                self.job.tell(ResumeJob(reason="over", at=at(self.now)), self.job.plain.goes_on(self.now))
            case _:
                self.job.tell(CancelJob(job_id=JOB, reason="enough", at=at(self.now)), self.job.plain.is_cancelled())

    @rule(parent=st.sampled_from(PARENTS), verdict=st.sampled_from(["succeeded"] * 4 + ["failed", "cancelled"]))
    def a_parent_ends(self, parent: UUID, verdict: str) -> None:
        expected = self.job.plain.parent_ends(parent, verdict, self.now)
        self.job.tell(follow(parent, verdict, self.now), expected)

    @precondition(lambda self: self.job.plain.over)
    @rule(place=st.integers(0, 2))
    def a_child_hears_of_the_end(self, place: int) -> None:
        child, verdict = self.children[place % len(self.children)], self.job.plain.status
        child.tell(follow(JOB, verdict, self.now), child.plain.parent_ends(JOB, verdict, self.now))

    @invariant()
    def everybody_agrees(self) -> None:
        for told in (self.job, *self.children):
            told.agree()


OneJob.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestOneJob = OneJob.TestCase
