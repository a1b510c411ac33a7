"""What a library may become. Pure: the log, the bus and the clock are elsewhere.

Whether it is scanned by itself (autoScan), and when, may also be said to its own schedule. Each of the two words
carries the time it was said at; the later one counts, here and there (`services/scheduler/schedule/following.py`).
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from linstock.messages.library import (
    ChangeLibrary,
    CreateLibrary,
    DeleteLibrary,
    FollowSchedule,
    LibraryCommand,
    LibraryCreated,
    LibraryDeleted,
    LibraryEvent,
    LibraryRelocated,
    LibrarySettingsChanged,
    Settings,
)

MOMENT = timedelta(microseconds=1)
LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Unknown(Struct, frozen=True, tag="unknown"):
    pass


class Active(Struct, frozen=True, tag="active"):
    """`auto_scan_at` and `timing_at`: when autoScan, and expression or zone, were last decided."""

    settings: Settings
    auto_scan_at: datetime
    timing_at: datetime


class Deleted(Struct, frozen=True, tag="deleted"):
    pass


Library = Unknown | Active | Deleted


class NoSuchLibrary(Exception):
    """This library does not exist, or was deleted."""


def initial() -> Library:
    return Unknown()


def evolve(_: Library, event: LibraryEvent) -> Library:
    match event:
        case LibraryCreated() | LibrarySettingsChanged() | LibraryRelocated():
            return Active(
                settings=event.settings,
                auto_scan_at=event.auto_scan_at or LONG_AGO,
                timing_at=event.timing_at or LONG_AGO,
            )
        case LibraryDeleted():
            return Deleted()
        case _:
            assert_never(event)


def decide(
    command: LibraryCommand | FollowSchedule, library: Library, library_id: UUID, *, at: datetime
) -> list[LibraryEvent]:
    """`at`: when it was commanded."""
    match command:
        # The id is derived from the command's: a library that is there already came from this very command.
        case CreateLibrary(settings=settings):
            created = LibraryCreated(library_id=library_id, settings=settings, auto_scan_at=at, timing_at=at)
            return [created] if isinstance(library, Unknown) else []
        case ChangeLibrary():
            if not isinstance(library, Active):
                raise NoSuchLibrary
            return _changed(library_id, library, _told(library, command, at))
        case FollowSchedule():
            if not isinstance(library, Active):
                return []
            return _changed(library_id, library, _followed(library, command))
        case DeleteLibrary():
            if isinstance(library, Unknown):
                raise NoSuchLibrary
            return [LibraryDeleted(library_id=library_id)] if isinstance(library, Active) else []
        case _:
            assert_never(command)


def changed(settings: Settings, change: ChangeLibrary) -> Settings:
    """The settings as they would be after `change`."""
    wanted = {name: value for name in Settings.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
    return msgspec.structs.replace(settings, **wanted)


def _told(library: Active, change: ChangeLibrary, at: datetime) -> Active:
    """The library with other settings. Its own word is newer than any it has heard, also by a clock that lags; about
    autoScan it counts even when it says the same: an older one of the schedule's may still be on its way."""
    settings = changed(library.settings, change)
    retimed = _timing(settings) != _timing(library.settings)
    return Active(
        settings=settings,
        auto_scan_at=library.auto_scan_at if change.auto_scan is UNSET else max(at, library.auto_scan_at + MOMENT),
        timing_at=max(at, library.timing_at + MOMENT) if retimed else library.timing_at,
    )


def _followed(library: Active, command: FollowSchedule) -> Active:
    """A later word counts even when it says the same: an earlier one that arrives after it must find that."""
    settings, at = library.settings, command.at
    auto_scan_at, timing_at = library.auto_scan_at, library.timing_at
    # Said at the very same time, off counts, and of two timings the library's.
    off = command.auto_scan is False and settings.auto_scan
    if command.auto_scan is not UNSET and (at > auto_scan_at or (at == auto_scan_at and off)):
        settings, auto_scan_at = msgspec.structs.replace(settings, auto_scan=command.auto_scan), at
    if command.cron_expression is not UNSET and command.time_zone is not UNSET and at > timing_at:
        settings = msgspec.structs.replace(
            settings, cron_expression=command.cron_expression, time_zone=command.time_zone
        )
        timing_at = at
    return Active(settings=settings, auto_scan_at=auto_scan_at, timing_at=timing_at)


def _changed(library_id: UUID, before: Active, after: Active) -> list[LibraryEvent]:
    if after == before:
        return []
    settings, auto_scan_at, timing_at = after.settings, after.auto_scan_at, after.timing_at
    if settings.path == before.settings.path:
        return [
            LibrarySettingsChanged(
                library_id=library_id, settings=settings, auto_scan_at=auto_scan_at, timing_at=timing_at
            )
        ]
    return [
        LibraryRelocated(
            library_id=library_id,
            previous_path=before.settings.path,
            settings=settings,
            auto_scan_at=auto_scan_at,
            timing_at=timing_at,
        )
    ]


def _timing(settings: Settings) -> tuple[str, str]:
    return settings.cron_expression, settings.time_zone
