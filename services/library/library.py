"""What a library may become. Pure: the log, the bus and the clock are elsewhere."""

from typing import assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from linstock.messages.library import (
    ChangeLibrary,
    CreateLibrary,
    DeleteLibrary,
    LibraryCommand,
    LibraryCreated,
    LibraryDeleted,
    LibraryEvent,
    LibraryRelocated,
    LibrarySettingsChanged,
    Settings,
)


class Unknown(Struct, frozen=True, tag="unknown"):
    pass


class Active(Struct, frozen=True, tag="active"):
    settings: Settings


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
            return Active(settings=event.settings)
        case LibraryDeleted():
            return Deleted()
        case _:
            assert_never(event)


def decide(command: LibraryCommand, library: Library, library_id: UUID) -> list[LibraryEvent]:
    match command:
        # The id is derived from the command's: a library that is there already came from this very command.
        case CreateLibrary(settings=settings):
            known = not isinstance(library, Unknown)
            return [] if known else [LibraryCreated(library_id=library_id, settings=settings)]
        case ChangeLibrary():
            if not isinstance(library, Active):
                raise NoSuchLibrary
            return _changed(library_id, library.settings, changed(library.settings, command))
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


def _changed(library_id: UUID, before: Settings, after: Settings) -> list[LibraryEvent]:
    if after == before:
        return []
    if after.path != before.path:
        return [LibraryRelocated(library_id=library_id, previous_path=before.path, settings=after)]
    return [LibrarySettingsChanged(library_id=library_id, settings=after)]
