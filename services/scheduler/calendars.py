"""What the log says of calendars right now, and which schedules keep a copy of which. In memory; part of the index."""

from collections.abc import Iterator
from operator import is_
from uuid import UUID

from msgspec.structs import replace

from linstock import names
from linstock.eventlog.decider import Aggregate, Snapshots
from linstock.eventlog.record import Recorded
from linstock.messages.calendar import CalendarEvent
from linstock.messages.message import Message
from linstock.messages.rules import CalendarDays
from services.scheduler import calendar
from services.scheduler.calendar import Calendar, Defined
from services.scheduler.known import KnownSchedule
from services.scheduler.schedule import Live

CALENDAR: Aggregate[Calendar, CalendarEvent] = Aggregate(
    "calendar",
    initial=calendar.initial,
    evolve=calendar.evolve,
    events=CalendarEvent,
    state=Calendar,
    snapshots=Snapshots(shape="calendar.v1"),
)


class KnownCalendar(Message, frozen=True):
    """A calendar as far as its events were read, and who and what set the last of them off."""

    calendar_id: UUID
    workspace: str
    state: Calendar
    actor: str
    event_id: UUID
    correlation_id: UUID
    traceparent: str | None

    @staticmethod
    def fold(known: "KnownCalendar | None", recorded: Recorded) -> "KnownCalendar":
        state = known.state if known else calendar.initial()
        return KnownCalendar(
            calendar_id=recorded.aggregate_id,
            workspace=recorded.workspace,
            state=calendar.evolve(state, CALENDAR.decode(recorded.data)),
            actor=recorded.actor,
            event_id=recorded.event_id,
            correlation_id=recorded.correlation_id,
            traceparent=recorded.traceparent,
        )


def used_by(known: KnownSchedule) -> tuple[UUID, ...]:
    """The calendars that it keeps copies of."""
    copies = known.state.rules.calendars if isinstance(known.state, Live) else ()
    return tuple(names.calendar_of(known.workspace, copy.name) for copy in copies)


class Calendars:
    """Schedules without calendars cost a look into one dict."""

    def __init__(self) -> None:
        self.known: dict[UUID, KnownCalendar] = {}
        self._users: dict[UUID, dict[UUID, None]] = {}  # by calendar
        self._used: dict[UUID, tuple[UUID, ...]] = {}  # by schedule
        self._copies: dict[tuple[str, str], CalendarDays] = {}  # the last seen of each

    def apply(self, recorded: Recorded) -> UUID:
        known = KnownCalendar.fold(self.known.get(recorded.aggregate_id), recorded)
        self.known[known.calendar_id] = known
        return known.calendar_id

    def shared(self, known: KnownSchedule) -> KnownSchedule:
        """The same, with the copies that other schedules have too: a thousand days are kept once, not once for each."""
        state = known.state
        if not isinstance(state, Live) or not state.rules.calendars:
            return known
        copies = tuple(self._shared(known.workspace, copy) for copy in state.rules.calendars)
        if all(map(is_, copies, state.rules.calendars)):
            return known
        return replace(known, state=replace(state, rules=replace(state.rules, calendars=copies)))

    def _shared(self, workspace: str, copy: CalendarDays) -> CalendarDays:
        found = self._copies.get((workspace, copy.name))
        if found is not None and found.version == copy.version:
            return found
        self._copies[workspace, copy.name] = copy
        return copy

    def note(self, known: KnownSchedule) -> None:
        """A schedule is this now."""
        self.use(known.schedule_id, used_by(known))

    def use(self, schedule_id: UUID, used: tuple[UUID, ...]) -> None:
        """These are the calendars that a schedule keeps copies of now."""
        if used == self.used_by(schedule_id):
            return
        for calendar_id in self._used.pop(schedule_id, ()):
            del self._users[calendar_id][schedule_id]
        for calendar_id in used:
            self._users.setdefault(calendar_id, {})[schedule_id] = None
        if used:
            self._used[schedule_id] = used

    def used_by(self, schedule_id: UUID) -> tuple[UUID, ...]:
        return self._used.get(schedule_id, ())

    def users_of(self, calendar_id: UUID) -> list[UUID]:
        """The schedules that keep a copy."""
        return list(self._users.get(calendar_id, ()))

    def newer_for(self, known: KnownSchedule) -> Iterator[tuple[KnownCalendar, CalendarDays]]:
        """Calendars that have other days by now than the schedule's copies, with these days."""
        for calendar_id in self.used_by(known.schedule_id):
            found = self.known.get(calendar_id)
            if found is not None and isinstance(found.state, Defined) and isinstance(known.state, Live):
                for copy in known.state.rules.calendars:
                    if copy.name == found.state.name and copy.version < found.state.days_version:
                        yield found, found.state.copy()
