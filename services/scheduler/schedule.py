"""What a schedule may do. Pure: the ticker, the store and the bus are elsewhere.

The schedule of a library follows the library. `library_version` orders what it hears, so a delivery that is late or
comes twice changes nothing. `cursor` is the instant up to which every tick is decided; it never moves back.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec.structs import replace

from linstock import names
from linstock.messages.library import Settings
from linstock.messages.message import Message
from linstock.messages.schedule import (
    FollowLibrary,
    ForgetLibrary,
    JobPolicy,
    ScanTarget,
    ScheduleChanged,
    ScheduleCommand,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    Tick,
    TickFired,
    TicksSkipped,
    Timing,
)

LATE_AFTER = timedelta(seconds=1)
MISFIRED_AFTER = timedelta(seconds=60)  # later than that, nobody was there at the instant


class Undefined(Message, frozen=True, tag="undefined"):
    """Its library was not heard of yet."""


class Live(Message, frozen=True):
    """What every defined schedule has. `version` counts the editions of its rules."""

    schedule_id: UUID
    name: str
    description: str
    timing: Timing
    target: ScanTarget
    policy: JobPolicy
    library_version: int
    version: int
    cursor: datetime


class Enabled(Live, frozen=True, tag="enabled"):
    """It ticks."""


class Disabled(Live, frozen=True, tag="disabled"):
    """It does not tick; its history stays."""


class Deleted(Message, frozen=True, tag="deleted"):
    """For good: what arrives later about its library changes nothing, even when it is the definition."""

    library_version: int


Schedule = Undefined | Enabled | Disabled | Deleted


def initial() -> Schedule:
    return Undefined()


def evolve(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    match event:
        case ScheduleDefined():
            return _defined(event)
        case ScheduleDeleted(library_version=library_version):
            return Deleted(library_version=library_version)
        case _ if isinstance(schedule, Undefined | Deleted):
            return schedule
        case ScheduleChanged(name=name, description=description, timing=timing, target=target):
            changed = replace(schedule, name=name, description=description, timing=timing, target=target)
            return replace(changed, version=event.version, library_version=event.library_version, cursor=event.cursor)
        case ScheduleEnabled(library_version=library_version, cursor=cursor):
            return _as(Enabled, replace(schedule, library_version=library_version, cursor=cursor))
        case ScheduleDisabled(library_version=library_version):
            return _as(Disabled, replace(schedule, library_version=library_version))
        case TickFired(instant=instant) | TicksSkipped(last=instant):
            return replace(schedule, cursor=max(schedule.cursor, instant))
        case _:
            assert_never(event)


def decide(command: ScheduleCommand, schedule: Schedule) -> list[ScheduleEvent]:
    match command:
        case FollowLibrary():
            return _follow(command, schedule)
        case ForgetLibrary(schedule_id=schedule_id, library_version=library_version):
            if isinstance(schedule, Deleted):
                return []
            return [ScheduleDeleted(schedule_id=schedule_id, library_version=library_version)]
        case Tick():
            return _tick(command, schedule) if isinstance(schedule, Enabled) else []
        case _:
            assert_never(command)


def _follow(command: FollowLibrary, schedule: Schedule) -> list[ScheduleEvent]:
    match schedule:
        case Undefined():
            return [_definition(command)]
        case Deleted():
            return []
        case Enabled() | Disabled():
            if command.library_version <= schedule.library_version:
                return []
            return [*_change(command, schedule), *_switch(command, schedule)]
        case _:
            assert_never(schedule)


def _definition(command: FollowLibrary) -> ScheduleDefined:
    settings = command.settings
    return ScheduleDefined(
        schedule_id=command.schedule_id,
        name=_name(settings),
        description=_description(settings),
        timing=_timing(settings),
        target=_target(command),
        enabled=settings.auto_scan,
        library_version=command.library_version,
        cursor=command.at,
    )


def _change(command: FollowLibrary, schedule: Enabled | Disabled) -> list[ScheduleEvent]:
    """Every newer library version leaves an event, also when nothing of it concerns us: an older one that arrives
    later must find it."""
    settings, timing = command.settings, _timing(command.settings)
    switched = settings.auto_scan != isinstance(schedule, Enabled)
    same = (_name(settings), timing, _target(command)) == (schedule.name, schedule.timing, schedule.target)
    if same and switched:
        return []
    # Only new timing makes past instants meaningless; a new name must not swallow a tick that is due.
    cursor = schedule.cursor if timing == schedule.timing else max(schedule.cursor, command.at)
    return [
        ScheduleChanged(
            schedule_id=command.schedule_id,
            version=schedule.version + 1,
            name=_name(settings),
            description=_description(settings),
            timing=timing,
            target=_target(command),
            library_version=command.library_version,
            cursor=cursor,
        )
    ]


def _switch(command: FollowLibrary, schedule: Enabled | Disabled) -> list[ScheduleEvent]:
    schedule_id, library_version, at = command.schedule_id, command.library_version, command.at
    match schedule, command.settings.auto_scan:
        case Disabled(cursor=cursor), True:
            at = max(cursor, at)
            return [ScheduleEnabled(schedule_id=schedule_id, library_version=library_version, cursor=at)]
        case Enabled(), False:
            return [ScheduleDisabled(schedule_id=schedule_id, library_version=library_version, at=at)]
        case _:
            return []


def _tick(tick: Tick, schedule: Enabled) -> list[ScheduleEvent]:
    """The latest instant fires, with its own instant; those before it are skipped in its favour."""
    if not tick.instants or tick.instants[0] <= schedule.cursor or tick.instants[-1] > tick.now:
        return []
    if tick.more:
        return [_skipped(tick, schedule, tick.instants, "misfire", tick.missed)]
    earlier, latest = tick.instants[:-1], tick.instants[-1]
    missed = [_skipped(tick, schedule, earlier, "misfire", tick.missed)] if earlier else []
    if tick.busy:
        return [*missed, _skipped(tick, schedule, (latest,), "overlap", 0)]
    fired = TickFired(
        schedule_id=schedule.schedule_id,
        instant=latest,
        job_id=names.job_of_tick(schedule.schedule_id, latest.isoformat()),
        verdict=_verdict(tick.now - latest, bool(earlier)),
        missed_count=len(earlier) + tick.missed,
        version=schedule.version,
        tzdata=tick.tzdata,
    )
    return [*missed, fired]


def _verdict(lateness: timedelta, missed: bool) -> str:
    if missed or lateness > MISFIRED_AFTER:
        return "caught_up"
    return "late" if lateness > LATE_AFTER else "fired"


def _skipped(tick: Tick, schedule: Enabled, instants: tuple[datetime, ...], reason: str, unlisted: int) -> TicksSkipped:
    return TicksSkipped(
        schedule_id=schedule.schedule_id,
        first=instants[0],
        last=instants[-1],
        count=len(instants) + unlisted,
        reason=reason,
        busy=tick.busy if reason == "overlap" else None,
        version=schedule.version,
        tzdata=tick.tzdata,
    )


def _defined(event: ScheduleDefined) -> Enabled | Disabled:
    return (Enabled if event.enabled else Disabled)(
        schedule_id=event.schedule_id,
        name=event.name,
        description=event.description,
        timing=event.timing,
        target=event.target,
        policy=event.policy,
        library_version=event.library_version,
        version=1,
        cursor=event.cursor,
    )


def _as(kind: type[Enabled] | type[Disabled], schedule: Enabled | Disabled) -> Enabled | Disabled:
    return kind(**{field: getattr(schedule, field) for field in Live.__struct_fields__})


def _name(settings: Settings) -> str:
    return f"Library Scan - {settings.name}"


def _description(settings: Settings) -> str:
    return f"Automatic scan for library: {settings.name}"


def _timing(settings: Settings) -> Timing:
    return Timing(expression=settings.cron_expression, zone=settings.time_zone)


def _target(command: FollowLibrary) -> ScanTarget:
    settings = command.settings
    return ScanTarget(library_id=command.library_id, library_name=settings.name, library_path=settings.path)
