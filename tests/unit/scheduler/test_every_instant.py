"""Every instant that a schedule's timing expects has exactly one verdict, and the right one: an oracle walks minute by
minute over wall time and keeps a list of what is undecided; what it does with that list is said in its few rules.

Tickers are killed between reading and appending, work on what they knew long ago, and hear everything twice.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache, reduce
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from linstock import recurrence
from linstock.messages.rules import CalendarDays, ChangedRules, Rules, Timing, Window
from linstock.messages.schedule import ScheduleEvent, Tick, TickFired, TicksSkipped
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    PauseSchedule,
    ResumeSchedule,
)
from services.scheduler import schedule, timing
from services.scheduler.schedule import Disabled, Enabled, Existing, Paused, Schedule, editing
from tests.support.schedules import JOB, SCHEDULE, defined

# An hour before clocks skip an hour in Berlin and two at Troll, three before they show one again in Asuncion.
START = datetime(2023, 3, 26, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAYS = [date(2023, 3, 25), date(2023, 3, 26), date(2023, 3, 27)]
EDITS = ("disable", "enable", "pause", "pause-until", "resume", "retime", "rules")


class Plan(Struct, frozen=True):
    """Which minutes of which hours; `step` instead of both: every so many minutes of each hour."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    step: int
    zone: str
    literal: bool

    @property
    def timing(self) -> Timing:
        listed = f"{','.join(map(str, self.minutes))} {','.join(map(str, self.hours))} * * *"
        return Timing(
            expression=f"*/{self.step} * * * *" if self.step else listed,
            zone=self.zone,
            clock_changes="literal" if self.literal else "cronos",
        )

    def expects(self, instant: datetime) -> bool:
        """Whether a full minute is one of its instants: by the wall, and what lies in a gap at the gap's end."""
        wall = _wall(self.zone, instant)
        if wall.again and not self.literal and not self.step:
            return False
        return self._matches(wall.shown) or (not self.literal and any(map(self._matches, wall.skipped)))

    def loses(self, instant: datetime) -> bool:
        """Whether the clocks take away what it would have shown: in a second pass, or on a clock that nobody put
        forward."""
        wall = _wall(self.zone, instant)
        if self.expects(instant):
            return False
        if not self.literal:
            return wall.again and self._matches(wall.shown)
        return any(map(self._matches, wall.put_forward))

    def _matches(self, wall: datetime) -> bool:
        if self.step:
            return wall.minute % self.step == 0
        return wall.minute in self.minutes and wall.hour in self.hours


class Wall(Struct, frozen=True):
    """What clocks show at an instant, whether they do `again`, what they just `skipped`; and what a clock shows that
    was not put forward in the last hours, as long as that is something the others skipped."""

    shown: datetime
    again: bool
    skipped: list[datetime]
    put_forward: list[datetime]


@cache
def _wall(name: str, instant: datetime) -> Wall:
    zone = ZoneInfo(name)
    shown = [(instant - back * MINUTE).astimezone(zone).replace(tzinfo=None) for back in range(182)]
    skipped = shown[1] + MINUTE
    late = list[datetime]()
    for back in range(181):
        wall = shown[back + 1] + (back + 1) * MINUTE  # nobody touched this clock since
        if wall < shown[back]:
            late.append(wall)
    return Wall(
        shown=shown[0],
        again=instant.astimezone(zone).fold == 1,
        skipped=[skipped + count * MINUTE for count in range(int((shown[0] - skipped) / MINUTE))],
        put_forward=late,
    )


class Step(Struct, frozen=True):
    """After `wait_s`, on a clock that is `skew_s` off, something happens."""

    wait_s: int
    skew_s: int
    what: str
    busy: bool
    waiting: int
    failures: int
    plan: Plan
    rules: Rules


plans = st.builds(
    Plan,
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=6).map(lambda found: tuple(sorted(found))),
    hours=st.sets(st.integers(0, 23), min_size=8, max_size=24).map(lambda found: tuple(sorted(found)))
    | st.sampled_from([(1, 2, 4), (0, 1, 2, 5), (0, 22, 23)]),  # what the clocks take away, and before and after it
    step=st.sampled_from([0, 0, 0, 7, 1]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Asuncion", "Antarctica/Troll"]),
    literal=st.booleans(),
)


def _calendar(days: set[date]) -> CalendarDays:
    return CalendarDays(name="holidays", version=1, days=tuple(sorted(days)))


moments = st.integers(0, 12 * 60).map(lambda minutes: START + minutes * MINUTE)
rules = st.builds(
    Rules,
    misfire=st.sampled_from(["fire_once", "fire_all", "skip"]),
    catchup_window_s=st.sampled_from([60, 600, 3600]),
    catchup_limit=st.integers(1, 4),
    overlap=st.sampled_from(["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other"]),
    buffer_limit=st.integers(1, 3),
    jitter_s=st.sampled_from([0, 0, 40]),
    starts_at=st.none() | moments,
    ends_at=st.none() | moments,
    excluded=st.lists(
        st.builds(lambda first, length: Window(first=first, last=first + length * MINUTE), moments, st.integers(0, 40)),
        max_size=3,
    ).map(tuple),
    max_runs=st.none() | st.integers(1, 4),
    pause_after_failures=st.none() | st.just(2),
    calendars=st.just(()) | st.sets(st.sampled_from(DAYS)).map(lambda days: (_calendar(days),)),
)
steps = st.lists(
    st.builds(
        Step,
        wait_s=st.sampled_from([0, 1, 30, 60, 61, 200, 1800, 7000, 12_000, 12_000]) | st.integers(0, 4000),
        skew_s=st.sampled_from([0, 0, 0, -90]),
        what=st.sampled_from(["tick"] * 6 + ["stale", "twice", *EDITS]),
        busy=st.booleans(),
        waiting=st.integers(0, 3),
        failures=st.sampled_from([0, 0, 0, 2]),
        plan=plans,
        rules=rules,
    ),
    max_size=14,
)


class World:
    """The log, as the schedule's version check leaves it, and beside it the oracle."""

    def __init__(self, plan: Plan, first: Rules) -> None:
        event = replace(defined(cursor=START), timing=plan.timing, rules=first)
        self.now = START
        self.log: list[ScheduleEvent] = [event]
        self.state: Schedule = schedule.evolve(schedule.initial(), event)
        self.known = self.state  # what a slow replica still believes
        self.oracle = Oracle(plan, first)

    def happen(self, step: Step) -> None:
        self.now += timedelta(seconds=step.wait_s)
        now = self.now + timedelta(seconds=step.skew_s)
        match step.what:
            case "tick":
                self._tick(step, now)
            case "twice":
                tick = self._proposed(self.state, step, now)
                self._tick(step, now)
                assert tick is None or not isinstance(self.state, Existing) or schedule.decide(tick, self.state) == []
            case "stale":  # it appends with the version it knows: only if that is the newest
                tick = self._proposed(self.known, step, now)
                if self.known == self.state:
                    self._tick(step, now)
                elif tick is not None:
                    schedule.decide(tick, self.known)
                self.known = self.state
            case _:
                self._edit(step, now)

    def end(self) -> None:
        """Deleted by somebody whose clock is right: whatever is undecided gets its verdict."""
        self.now += timedelta(hours=1)
        self._say(editing.edit(DeleteSchedule(schedule_id=SCHEDULE), self.state, at=self.now, tzdata="2026a"))
        self.oracle.edited("delete", self.now, None, None)

    def _tick(self, step: Step, now: datetime) -> None:
        tick = self._proposed(self.state, step, now)
        if tick is not None:
            self._say(schedule.decide(tick, self.state))
        self.oracle.ticked(now, busy=step.busy, waiting=step.waiting, failures=step.failures)

    def _proposed(self, state: Schedule, step: Step, now: datetime) -> Tick | None:
        if not isinstance(state, Enabled | Paused):
            return None
        return timing.proposal(
            state, now, busy=JOB if step.busy else None, open_jobs=(JOB,) if step.busy else (), waiting=step.waiting,
            failures=step.failures, tzdata="2026a",
        )  # fmt: skip

    def _edit(self, step: Step, now: datetime) -> None:
        command: editing.Edit
        match step.what:
            case "disable":
                command = DisableSchedule(schedule_id=SCHEDULE)
            case "enable":
                command = EnableSchedule(schedule_id=SCHEDULE)
            case "pause":
                command = PauseSchedule(schedule_id=SCHEDULE)
            case "pause-until":
                command = PauseSchedule(schedule_id=SCHEDULE, resume_at=now + timedelta(minutes=20))
            case "resume":
                command = ResumeSchedule(schedule_id=SCHEDULE)
            case "retime":
                told = step.plan.timing
                command = ChangeSchedule(
                    schedule_id=SCHEDULE, expression=told.expression, zone=told.zone, clock_changes=told.clock_changes
                )
            case _:
                given = {field: getattr(step.rules, field) for field in Rules.__struct_fields__}
                command = ChangeSchedule(schedule_id=SCHEDULE, rules=ChangedRules(**given))
        try:
            events = editing.edit(command, self.state, at=now, tzdata="2026a")
        except editing.NotOn:
            assert isinstance(self.state, Disabled)
            return
        self._say(events)
        self.oracle.edited(step.what, now, step.plan, step.rules)

    def _say(self, events: list[ScheduleEvent]) -> None:
        self.log += events
        self.state = reduce(schedule.evolve, events, self.state)

    def verdicts(self) -> Counter[tuple[datetime, str]]:
        """Of each minute; a range stands for the instants of the timing that was in force."""
        found, plans_by_version = Counter[tuple[datetime, str]](), self.oracle.plans
        for event in self.log:
            match event:
                case TickFired(instant=instant):
                    found[instant, "fired"] += 1
                case TicksSkipped(first=first, last=last, reason=reason, version=version, count=count):
                    plan, between = plans_by_version[version], _minutes(first, last)
                    kinds = plan.expects, plan.loses
                    told, other = kinds[::-1] if reason == "clock_change" else kinds
                    minutes = [instant for instant in between if told(instant)]
                    assert (len(minutes), minutes[0], minutes[-1]) == (count, first, last)
                    assert not any(other(instant) for instant in between)
                    fired = {each for each, what in found if what == "fired"}
                    assert not fired.intersection(minutes)
                    found.update((instant, reason) for instant in minutes)
                case _:
                    continue
        return found


def _minutes(first: datetime, last: datetime) -> list[datetime]:
    return [first + count * MINUTE for count in range(int((last - first) / MINUTE) + 1)]


class Oracle:
    """Instant by instant. `edge` is up to where instants were collected."""

    def __init__(self, plan: Plan, first: Rules) -> None:
        self.plans = {1: plan}
        self.plan, self.rules, self.version = plan, first, 1
        self.mode: Literal["on", "off", "limit", "paused"] = "on"
        self.resume_at: datetime | None = None
        self.decided = START
        self.runs = 0
        self.found = Counter[tuple[datetime, str]]()

    def undecided(self, until: datetime) -> list[datetime]:
        """Instants, and those that the clocks took away; after its end there are none."""
        until = min(until, self.rules.ends_at or until)
        start = self.decided.replace(second=0, microsecond=0) + MINUTE
        minutes = _minutes(start, until) if start <= until else []
        return [instant for instant in minutes if self.plan.expects(instant) or self.plan.loses(instant)]

    def ticked(self, now: datetime, *, busy: bool, waiting: int, failures: int) -> None:
        rules = self.rules
        if self.mode == "paused":
            if self.resume_at is not None and self.resume_at <= now:
                self._pass("paused", self.resume_at)
                self.decided, self.mode = max(self.decided, self.resume_at), "on"
            return
        if self.mode != "on":
            return
        if rules.pause_after_failures is not None and failures >= rules.pause_after_failures:
            self.mode, self.resume_at = "paused", None
            return
        due = self.undecided(now)
        inside = [instant for instant in due if not self.plan.loses(instant) and not self._outside(instant)]
        if inside and self._late(inside[-1], now) < timedelta(0):
            waits = inside.pop()
            due = [instant for instant in due if instant < waits]
        wanted = self._wanted(inside, now)
        self._all([instant for instant in due if instant not in wanted], "misfire")
        self._fire(wanted, busy=busy, waiting=waiting)
        if due:
            self.decided = due[-1]
            if rules.max_runs is not None and self.runs >= rules.max_runs:
                self.mode = "limit"

    def _wanted(self, inside: list[datetime], now: datetime) -> list[datetime]:
        rules = self.rules
        recent = [
            instant for instant in inside if now - instant <= timedelta(seconds=rules.catchup_window_s + rules.jitter_s)
        ]
        if rules.misfire == "fire_all":
            return recent[-rules.catchup_limit :]
        if rules.misfire == "skip":
            return [instant for instant in recent[-1:] if self._late(instant, now) <= timedelta(seconds=60)]
        return recent[-1:]

    def _fire(self, wanted: list[datetime], *, busy: bool, waiting: int) -> None:
        rules = self.rules
        room = {"skip": 0, "buffer_one": 1 - waiting, "buffer_all": rules.buffer_limit - waiting}.get(rules.overlap, 99)
        left = 99 if rules.max_runs is None else rules.max_runs - self.runs
        for instant in wanted:
            left -= 1
            room -= busy
            verdict = "limit" if left < 0 else "overlap" if busy and room < 0 else "fired"
            self.found[instant, verdict] += 1
            self.runs += verdict == "fired"

    def _late(self, instant: datetime, now: datetime) -> timedelta:
        return now - recurrence.release(self.plan.timing, self.rules, SCHEDULE, instant)

    def edited(self, what: str, now: datetime, plan: Plan | None, rules: Rules | None) -> None:
        off = {"on": "misfire", "off": "disabled", "limit": "limit", "paused": "paused"}[self.mode]
        if what in ("pause", "pause-until"):
            self.mode, self.resume_at = "paused", now + timedelta(minutes=20) if what == "pause-until" else None
        elif what in ("enable", "resume") and self.mode != "on":
            self._pass(off, now)
            self.runs = self.runs if self.mode == "paused" else 0
            self.mode = "on"
        elif what == "disable":
            if self.mode == "paused":
                self._pass(off, now)
            self.mode = "off"
        elif what == "delete":
            self._pass(off, now)
        elif what == "retime" and plan is not None and plan.timing != self.plan.timing:
            self._pass(off, now)
            self._version(plan, self.rules)
        elif what == "rules" and rules is not None and rules != self.rules:
            before, after = self.rules, rules
            if _windows(before) != _windows(after):
                self._pass(off, now)
            self._version(self.plan, rules)

    def _version(self, plan: Plan, rules: Rules) -> None:
        self.version += 1
        self.plan, self.rules = plan, rules
        self.plans[self.version] = plan

    def _pass(self, reason: str, until: datetime) -> None:
        self._all(self.undecided(until), reason)
        self.decided = max(self.decided, until)

    def _all(self, instants: list[datetime], reason: str) -> None:
        """None of them fires; only while the schedule is on it matters when it may."""
        for instant in instants:
            outside = self.mode == "on" and self._outside(instant)
            lost = self.plan.loses(instant)
            self.found[instant, "clock_change" if lost else "outside_window" if outside else reason] += 1

    def _outside(self, instant: datetime) -> bool:
        rules = self.rules
        return (
            (rules.starts_at is not None and instant < rules.starts_at)
            or any(each.first <= instant <= each.last for each in rules.excluded)
            or any(instant.astimezone(ZoneInfo(self.plan.zone)).date() in each.days for each in rules.calendars)
        )


def _windows(rules: Rules) -> tuple[object, ...]:
    return rules.starts_at, rules.ends_at, rules.excluded, rules.calendars


@settings(max_examples=500, deadline=None)  # the first look at a zone takes longer
@given(plans, rules, steps)
def test_the_ledger_is_what_the_oracle_says(plan: Plan, first: Rules, happened: list[Step]) -> None:
    world = World(plan, first)
    for step in happened:
        world.happen(step)
    world.end()
    found = world.verdicts()
    assert found == world.oracle.found
    each = Counter[datetime](instant for instant, _ in found.elements())
    assert set(each.values()) <= {1}


@settings(deadline=None)
@given(plans)
def test_the_oracle_knows_the_instants(plan: Plan) -> None:
    until = START + timedelta(hours=12)
    expected = [instant for instant in _minutes(START + MINUTE, until) if plan.expects(instant)]
    assert recurrence.due_instants(plan.timing, START, until, 10_000) == expected
    lost = [instant for instant in _minutes(START + MINUTE, until) if plan.loses(instant)]
    assert list(recurrence.dropped(plan.timing, START, until)) == lost
