"""A library and its own schedule may both be switched and timed: whatever comes late, twice or crosses on the way, both
end up with the word that was said last."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from random import Random
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from linstock import names
from linstock.messages.library import ChangeLibrary, CreateLibrary, LibraryEvent, Settings
from linstock.messages.schedule import (
    FollowLibrary,
    ScheduleBackfilled,
    ScheduleEvent,
    SchedulePaused,
    ScheduleResumed,
    TickFired,
    TicksSkipped,
)
from linstock.messages.schedule_commands import ChangeSchedule, DeleteSchedule
from services.library import library
from services.library.reactions import Told, wish_of
from services.scheduler import schedule
from services.scheduler.schedule import Disabled, Enabled, editing

LIBRARY = UUID(int=7)
SCHEDULE = names.schedule_of(LIBRARY)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZONE = "UTC"


class Both:
    """The two aggregates, and what each has said that the other may hear: any of it, any number of times."""

    def __init__(self) -> None:
        self.library, self.version = library.initial(), 0
        self.schedule = schedule.initial()
        self.said_by_library: list[tuple[int, LibraryEvent]] = []
        self.said_by_schedule: list[Told] = []
        self.seconds = 0.0
        created = Settings(name="A", path="/a", auto_scan=True)
        self._library(library.decide(CreateLibrary(settings=created), self.library, LIBRARY, at=self.now))
        self.schedule_hears(0)

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def library_is_told(self, on: bool | UnsetType, cron: str | UnsetType) -> None:
        change = ChangeLibrary(library_id=LIBRARY, auto_scan=on, cron_expression=cron)
        self._library(library.decide(change, self.library, LIBRARY, at=self.now))

    def schedule_is_told(self, on: bool | UnsetType, cron: str | UnsetType) -> None:
        self._edit(ChangeSchedule(schedule_id=SCHEDULE, enabled=on, expression=cron))

    def schedule_is_deleted(self) -> None:
        self._edit(DeleteSchedule(schedule_id=SCHEDULE))

    def schedule_hears(self, which: int) -> int:
        """How many events that sets off."""
        version, event = self.said_by_library[which % len(self.said_by_library)]
        follow = FollowLibrary(
            schedule_id=SCHEDULE,
            library_id=LIBRARY,
            library_version=version,
            settings=event.settings,  # type: ignore[union-attr]
            at=self.now,
            auto_scan_at=event.auto_scan_at,  # type: ignore[union-attr]
            timing_at=event.timing_at,  # type: ignore[union-attr]
        )
        return self._schedule(schedule.decide(follow, self.schedule))

    def library_hears(self, which: int) -> int:
        wish = wish_of(self.said_by_schedule[which % len(self.said_by_schedule)])
        return self._library(library.decide(wish, self.library, LIBRARY, at=self.now)) if wish else 0

    def _edit(self, command: editing.Edit) -> None:
        if not isinstance(self.schedule, schedule.Deleted):
            self._schedule(editing.edit(command, self.schedule, at=self.now, tzdata="2026a"))

    def _library(self, events: list[LibraryEvent]) -> int:
        for event in events:
            self.version += 1
            self.said_by_library.append((self.version, event))
        self.library = reduce(library.evolve, events, self.library)
        return len(events)

    def _schedule(self, events: list[ScheduleEvent]) -> int:
        for event in events:
            assert not isinstance(event, TickFired | SchedulePaused | ScheduleResumed | ScheduleBackfilled)
            if not isinstance(event, TicksSkipped):  # instants that passed: nothing the library hears of
                self.said_by_schedule.append(event)
        self.schedule = reduce(schedule.evolve, events, self.schedule)
        return len(events)


class Step(Struct, frozen=True):
    """`where` is told or hears; `skew_s`: how far its clock is off."""

    where: str
    on: bool | UnsetType
    cron: str | UnsetType
    which: int
    after_s: float


STEPS = st.lists(
    st.builds(
        Step,
        where=st.sampled_from(["library", "schedule", "delete", "schedule hears", "library hears"]),
        on=st.sampled_from([True, False, UNSET]),
        cron=st.sampled_from(["0 2 * * *", "0 3 * * *", UNSET]),
        which=st.integers(0, 50),
        after_s=st.sampled_from([0.0, 1.0, -0.5]),
    ),
    max_size=14,
)


@given(STEPS, st.randoms(use_true_random=False))
def test_both_end_up_with_the_same_and_fall_silent(steps: list[Step], random: st.DrawFn) -> None:
    both = Both()
    for step in steps:
        both.seconds += step.after_s
        match step.where:
            case "library":
                both.library_is_told(step.on, step.cron)
            case "schedule":
                both.schedule_is_told(step.on, step.cron)
            case "delete":
                both.schedule_is_deleted()
            case "schedule hears":
                both.schedule_hears(step.which)
            case _:
                both.library_hears(step.which)
    _deliver_everything(both, random)
    _agree(both)


def _deliver_everything(both: Both, random: st.DrawFn) -> None:
    """In any order, each at least once, until nobody has anything new to say."""
    heard = [0, 0]
    for _ in range(50):
        here, there = len(both.said_by_library), len(both.said_by_schedule)
        if heard == [here, there]:
            return
        deliveries = [(0, n) for n in range(here)] + [(1, n) for n in range(there)]
        random.shuffle(deliveries)  # type: ignore[attr-defined]
        for side, which in deliveries:
            (both.schedule_hears, both.library_hears)[side](which)
        heard = [here, there]
    raise AssertionError("they never fall silent")


def _agree(both: Both) -> None:
    assert isinstance(both.library, library.Active)
    settings = both.library.settings
    match both.schedule:
        case Enabled() | Disabled() as live:
            assert settings.auto_scan == isinstance(live, Enabled)
            assert settings.cron_expression == live.timing.expression
        case schedule.Deleted():
            assert not settings.auto_scan
        case _:
            raise AssertionError("a library has a schedule")


def test_the_later_word_wins() -> None:
    both = Both()
    both.seconds = 1
    both.schedule_is_told(False, "0 3 * * *")
    both.seconds = 2
    both.library_is_told(UNSET, "0 4 * * *")
    both.schedule_hears(1)
    for which in range(len(both.said_by_schedule)):
        both.library_hears(which)
    both.schedule_hears(-1)
    assert isinstance(both.library, library.Active)
    assert isinstance(both.schedule, Disabled)
    assert (both.library.settings.auto_scan, both.library.settings.cron_expression) == (False, "0 4 * * *")
    assert both.schedule.timing.expression == "0 4 * * *"


def test_a_deleted_schedule_comes_back_with_its_history_when_auto_scan_is_switched_on() -> None:
    both = Both()
    both.seconds = 1
    both.schedule_is_deleted()
    both.library_hears(-1)
    assert isinstance(both.library, library.Active)
    assert not both.library.settings.auto_scan
    both.seconds = 2
    both.library_is_told(True, UNSET)
    both.schedule_hears(-1)
    assert isinstance(both.schedule, Enabled)
    assert both.schedule.edition > 2
    assert msgspec.json.decode(msgspec.json.encode(both.schedule), type=schedule.Schedule) == both.schedule


def test_a_later_word_that_says_the_same_beats_an_older_one_that_is_on_its_way() -> None:
    both = Both()
    both.seconds = 1
    both.library_is_told(False, UNSET)
    both.seconds = 2
    both.schedule_is_told(True, UNSET)
    _deliver_everything(both, Random(1))  # type: ignore[arg-type]
    _agree(both)
    assert isinstance(both.schedule, Enabled)
