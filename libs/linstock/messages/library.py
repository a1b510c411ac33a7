"""Library: a folder tree that somebody wants catalogued. It holds the wish (path, autoScan, when), not the content."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from linstock.messages.message import Message

DEFAULT_CRON = "0 2 * * *"
DEFAULT_ZONE = "UTC"


class Settings(Message, frozen=True):
    """All that a library's owner decides. `path` is absolute. `cron_expression` has 5 fields, or 6 (seconds first)."""

    name: str
    path: str
    description: str = ""
    auto_scan: bool = False
    cron_expression: str = DEFAULT_CRON
    time_zone: str = DEFAULT_ZONE


# Commands


class CreateLibrary(Message, frozen=True, tag="CreateLibrary"):
    settings: Settings


class ChangeLibrary(Message, frozen=True, tag="ChangeLibrary"):
    """Only what is set changes."""

    library_id: UUID
    name: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    auto_scan: bool | UnsetType = UNSET
    cron_expression: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


class DeleteLibrary(Message, frozen=True, tag="DeleteLibrary"):
    library_id: UUID


LibraryCommand = CreateLibrary | ChangeLibrary | DeleteLibrary


# Events. Each that changes settings carries all of them, so a follower needs no memory of what came before.


class LibraryCreated(Message, frozen=True, tag="linstock.library.created.v1"):
    library_id: UUID
    settings: Settings


class LibrarySettingsChanged(Message, frozen=True, tag="linstock.library.settings_changed.v1"):
    library_id: UUID
    settings: Settings


class LibraryRelocated(Message, frozen=True, tag="linstock.library.relocated.v1"):
    """The path changed (other settings may have changed with it)."""

    library_id: UUID
    previous_path: str
    settings: Settings


class LibraryDeleted(Message, frozen=True, tag="linstock.library.deleted.v1"):
    """The library's catalogue stays in the log; nothing on disk is touched."""

    library_id: UUID


LibraryEvent = LibraryCreated | LibrarySettingsChanged | LibraryRelocated | LibraryDeleted
