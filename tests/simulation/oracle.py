"""Whether the log of a simulated year is right. Goes through it event by event with rules of its own; see `almanac`.

Every instant that a plan expects has exactly one verdict, and none that nobody expects has any. Which verdict is
checked as far as the history leaves no choice: what stays open is who was first and what a replica had heard of jobs.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from linstock.messages.rules import Rules
from linstock.messages.schedule import (
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDisabled,
    ScheduleEnabled,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)
from tests.simulation.almanac import DROPPED, MOVED, Expected, Plan
from tests.simulation.evidence import GRACE_S, Told, Witness
from tests.simulation.jobs import Jobs

LATE_S, CAUGHT_UP_S = 1.0, 60.0
ROUNDING = timedelta(milliseconds=1)


@dataclass
class Findings:
    """`wrong` counts what must not be, `examples` has a sentence for the first few of each."""

    instants: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def miss(self, what: str, count: int, schedule: object, where: object) -> None:
        if count:
            self.wrong[what] += count
            if self.wrong[what] <= 3 * count:
                self.examples.append(f"{what}: {schedule} {where}")


class ScheduleOracle:
    """One schedule. `edge` is the last instant that is decided; `mode` is on | paused | disabled | limit."""

    def __init__(self, found: Findings, plans: dict[object, Plan], jobs: Jobs, witness: Witness) -> None:
        self._found = found
        self._plans = plans
        self._jobs = jobs
        self._witness = witness
        self._plan: Plan
        self._rules: Rules
        self._edge: datetime
        self._mode = "on"
        self._resume_at: datetime | None = None
        self._runs = 0
        self._since_s = 0.0  # when it became what it is
        self._edits: set[int] = set()

    def judge(self, history: list[Told], end: Told) -> None:
        """`end` says until when; whatever its record."""
        self._edits = {told.batch for told in history if not isinstance(told.event, TickFired | TicksSkipped)}
        for told in history:
            match told.event:
                case ScheduleDefined() as event:
                    self._plan, self._rules, self._edge = self._plans[event.timing], event.rules, event.cursor
                case TickFired() as event:
                    self._fired(event, told)
                case TicksSkipped() as event:
                    self._skipped(event, told)
                case _:
                    self._edited(told)
                    self._since_s = told.at_s
        self._finish(end)

    # Edits

    def _edited(self, told: Told) -> None:
        match told.event:
            case SchedulePaused(resume_at=resume_at):
                by_itself = told.record.actor == "scheduler"
                if by_itself and not self._jobs.failed_in_a_row(told) >= (self._rules.pause_after_failures or 10**9):
                    self._miss("paused without reason", 1, told)
                self._mode, self._resume_at = "paused", resume_at
            case ScheduleResumed(cursor=cursor):
                self._resumed(told)
                self._move(cursor, told)
                self._mode, self._resume_at = "on", None
            case ScheduleEnabled(cursor=cursor):
                self._runs = self._runs if self._mode in ("on", "paused") else 0
                self._move(cursor, told)
                self._mode = "on"
            case ScheduleDisabled(reason=reason):
                if reason == "limit" and not self._at_its_limit():
                    self._miss("disabled without reason", 1, told)
                self._mode = "limit" if reason == "limit" else "disabled"
            case ScheduleChanged(timing=timing, rules=rules, cursor=cursor):
                if cursor > self._edge:
                    self._move(cursor, told)
                self._plan, self._rules = self._plans[timing], rules or self._rules
            case event:
                raise AssertionError(event)

    def _resumed(self, told: Told) -> None:
        if told.record.actor != "scheduler":
            return
        if self._resume_at is None or told.postgres < self._resume_at:
            self._miss("resumed early", 1, told)
        elif self._overdue(self._reached_s(self._resume_at), told):
            self._miss("resumed late", 1, told)

    def _move(self, cursor: datetime, told: Told) -> None:
        if cursor > max(self._edge, told.postgres + ROUNDING):
            self._miss("cursor beyond the true time", 1, told)
        self._miss("missing", len(self._expected(self._edge, cursor)), told)
        self._edge = max(self._edge, cursor)

    # Verdicts

    def _fired(self, event: TickFired, told: Told) -> None:
        instant = event.instant
        kinds = [each.kind for each in self._decide(instant, instant, 1, told, event.verdict)]
        self._runs += 1
        most = self._rules.max_runs
        moved = kinds == [MOVED]
        late_s = (told.record.time - instant).total_seconds()
        named = event.verdict
        wrong = {
            "fired while it was off": self._mode != "on",
            "fired outside its window": self._outside(instant),
            "fired beyond its limit": most is not None and self._runs > most,
            "fired while a run was open": self._rules.overlap == "skip" and self._jobs.surely_open(told),
            "called fired, and late": named == "fired" and late_s > self._rules.jitter_s + LATE_S,
            "called caught up, and in time": named == "caught_up" and late_s <= CAUGHT_UP_S and not event.missed_count,
            "fired without a run": not self._jobs.requested_with(event.job_id, told),
            "decided late": self._late(instant, told),
            "moved, or not, other than said": bool(kinds) and moved != event.moved,
        }
        for what, so in wrong.items():
            self._miss(what, so, told)

    def _skipped(self, event: TicksSkipped, told: Told) -> None:
        decided = self._decide(event.first, event.last, event.count, told, event.reason)
        instants = [each.instant for each in decided]
        if event.reason in ("paused", "disabled"):
            self._miss(f"{event.reason}, and it was not", self._mode != event.reason, told)
        elif event.reason == "limit":
            self._miss("limit, and there was none", not self._at_its_limit(), told)
        elif event.reason == "overlap":
            self._miss("overlap, and nothing was open", not self._jobs.may_be_open(event.busy, told), told)
        elif event.reason == "outside_window":
            self._miss("outside, and it was not", sum(not self._outside(each) for each in instants), told)
        elif event.reason == "misfire":
            self._misfired(instants, told)
        elif event.reason == "clock_change":
            self._miss("decided late", sum(self._late(each, told) for each in instants if self._mode == "on"), told)
        else:
            self._miss("a reason that nobody knows", 1, told)
        if event.reason in ("overlap", "outside_window", "misfire") and self._mode != "on":
            self._miss("skipped as if it were on", 1, told)

    def _misfired(self, instants: list[datetime], told: Told) -> None:
        """Somebody decided for it, or nobody was there, or the next was due already."""
        self._miss("misfired outside its window", sum(self._outside(each) for each in instants), told)
        if self._edited_with(told) or not instants:
            return
        following = [*instants[1:], told.postgres]
        for instant, after in zip(instants, following, strict=True):
            due_s = self._due_s(instant)
            dense = (after - instant).total_seconds() <= GRACE_S
            if not dense and self._witness.watched(self._reached_s(instant), due_s + GRACE_S):
                self._miss("misfired while somebody was there", 1, told)

    def _decide(self, first: datetime, last: datetime, count: int, told: Told, verdict: str) -> list[Expected]:
        """Moves the edge over these instants. Returns those among them that the plan expects. What is dropped is
        called clock_change and nothing else is, so no range reaches from one to the other."""
        self._found.verdicts[verdict] += count
        dropped = verdict == "clock_change"
        if last > told.postgres:
            self._miss("early", 1, told)
        if first <= self._edge:
            self._miss("doubled", 1, told)
            return []
        before = self._expected(self._edge, first - ROUNDING)
        instants = self._expected(first - ROUNDING, last)
        self._miss("missing", len(before), told)
        if not instants or (instants[0].instant, instants[-1].instant, len(instants)) != (first, last, count):
            self._miss("not what was expected", 1, told)
        self._miss(
            "dropped, or not, other than said", sum((each.kind == DROPPED) != dropped for each in instants), told
        )
        self._found.instants += len(instants)
        self._edge = last
        return instants

    # What must hold

    def _finish(self, end: Told) -> None:
        """Whatever is not decided in the end must be too young, or outside, or nobody may decide on it."""
        if self._mode == "on":
            for instant, _ in self._expected(self._edge, end.postgres):
                if not self._outside(instant) and self._late(instant, end):
                    self._miss("never decided", 1, end)
        if self._mode == "paused" and self._resume_at is not None:
            self._miss("never resumed", self._overdue(self._reached_s(self._resume_at), end), end)

    def _expected(self, after: datetime, until: datetime) -> list[Expected]:
        """After a schedule's end nothing is."""
        ends_at = self._rules.ends_at
        return self._plan.expected(after, until if ends_at is None else min(until, ends_at))

    def _late(self, instant: datetime, told: Told) -> bool:
        return not self._edited_with(told) and self._overdue(self._due_s(instant), told, self._reached_s(instant))

    def _overdue(self, due_s: float, told: Told, since_s: float | None = None) -> bool:
        since_s = due_s if since_s is None else since_s
        return told.at_s > due_s + GRACE_S and self._witness.watched(since_s, due_s + GRACE_S)

    def _reached_s(self, instant: datetime) -> float:
        return self._witness.reached_s(instant, self._since_s)

    def _due_s(self, instant: datetime) -> float:
        """At the latest: its jitter may be all there can be."""
        return self._reached_s(instant + timedelta(seconds=self._rules.jitter_s))

    def _edited_with(self, told: Told) -> bool:
        return told.batch in self._edits

    def _at_its_limit(self) -> bool:
        most = self._rules.max_runs
        return self._mode == "limit" or (most is not None and self._runs >= most)

    def _outside(self, instant: datetime) -> bool:
        rules = self._rules
        return (
            (rules.starts_at is not None and instant < rules.starts_at)
            or (rules.ends_at is not None and instant > rules.ends_at)
            or any(each.first <= instant <= each.last for each in rules.excluded)
        )

    def _miss(self, what: str, count: int, told: Told) -> None:
        self._found.miss(what, int(count), self._plan.timing, (str(told.postgres), told.event))


def judge(history: list[Told], plans: dict[object, Plan], witness: Witness, end: Told) -> Findings:
    """The whole log. `end` stands for its end, whatever its record."""
    found, jobs = Findings(), Jobs(history)
    by_schedule: dict[UUID, list[Told]] = {}
    for told in history:
        if told.record.aggregate == "schedule":
            by_schedule.setdefault(told.record.aggregate_id, []).append(told)
    for told_all in by_schedule.values():
        ScheduleOracle(found, plans, jobs, witness).judge(told_all, end)
    return found
