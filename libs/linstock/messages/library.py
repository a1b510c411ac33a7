"""Library: a folder tree that somebody wants catalogued. It holds the wish (path, autoScan, when), not the content."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from linstock.messages.message import Message

DEFAULT_CRON = "0 2 * * *"
DEFAULT_ZONE = "UTC"
IMAGE_EXTENSIONS = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
ARCHIVE_EXTENSIONS = (".cbz", ".zip")
DEFAULT_EXTENSIONS = (*IMAGE_EXTENSIONS, *ARCHIVE_EXTENSIONS)


class RemovalGuard(Message, frozen=True):
    """Up to how many collections a scan may mark missing by itself: `min_always`, or `max_removed_percent` of those
    that are present, whichever is more, and never more than `max_removed`. 0 of everything: it always asks."""

    max_removed_percent: int = 10
    max_removed: int = 100
    min_always: int = 3


class Settings(Message, frozen=True):
    """All that a library's owner decides. `path` is absolute. `cron_expression` has 5 fields, or 6 (seconds first).
    `exclude_patterns` are lines of a .gitignore, relative to `path`. `extensions` are lower case, each with its dot,
    and a subset of DEFAULT_EXTENSIONS: what else there is, is not looked at. `watch`: a change on disk is looked at
    within seconds, as well as by its schedule. What has been missing for `purge_missing_after_days` is
    forgotten; 0: never."""

    name: str
    path: str
    description: str = ""
    auto_scan: bool = False
    cron_expression: str = DEFAULT_CRON
    time_zone: str = DEFAULT_ZONE
    include_subfolders: bool = True
    exclude_patterns: tuple[str, ...] = ()
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    guard: RemovalGuard = RemovalGuard()
    watch: bool = False
    purge_missing_after_days: int = 0


# Commands


class CreateLibrary(Message, frozen=True, tag="CreateLibrary"):
    settings: Settings


class ChangeLibrary(Message, frozen=True, tag="ChangeLibrary"):
    """Only what is set changes. `if_versions`: refused (412) unless its version is one of them (empty: any)."""

    library_id: UUID
    name: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    auto_scan: bool | UnsetType = UNSET
    cron_expression: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    include_subfolders: bool | UnsetType = UNSET
    exclude_patterns: tuple[str, ...] | UnsetType = UNSET
    extensions: tuple[str, ...] | UnsetType = UNSET
    guard: RemovalGuard | UnsetType = UNSET
    watch: bool | UnsetType = UNSET
    purge_missing_after_days: int | UnsetType = UNSET
    if_versions: tuple[int, ...] = ()


class DeleteLibrary(Message, frozen=True, tag="DeleteLibrary"):
    library_id: UUID
    if_versions: tuple[int, ...] = ()


class FollowSchedule(Message, frozen=True, tag="FollowSchedule"):
    """Somebody switched or timed the library's own schedule directly, at `at` (the scheduler's clock): that is the
    library's wish now, unless the library was told something else later. Only what is set is meant."""

    library_id: UUID
    at: datetime
    auto_scan: bool | UnsetType = UNSET
    cron_expression: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET


LibraryCommand = CreateLibrary | ChangeLibrary | DeleteLibrary


# Events. Each that changes settings carries all of them, so a follower needs no memory of what came before.
# `auto_scan_at` and `timing_at` say when autoScan, and expression or zone, were last decided: the library and its
# schedule may both be told, and the later word wins. None: as old as the event (it is from before this was kept).


class LibraryCreated(Message, frozen=True, tag="linstock.library.created.v1"):
    library_id: UUID
    settings: Settings
    auto_scan_at: datetime | None = None
    timing_at: datetime | None = None


class LibrarySettingsChanged(Message, frozen=True, tag="linstock.library.settings_changed.v1"):
    library_id: UUID
    settings: Settings
    auto_scan_at: datetime | None = None
    timing_at: datetime | None = None


class LibraryRelocated(Message, frozen=True, tag="linstock.library.relocated.v1"):
    """The path changed (other settings may have changed with it)."""

    library_id: UUID
    previous_path: str
    settings: Settings
    auto_scan_at: datetime | None = None
    timing_at: datetime | None = None


class LibraryDeleted(Message, frozen=True, tag="linstock.library.deleted.v1"):
    """The library's catalogue stays in the log; nothing on disk is touched."""

    library_id: UUID


LibraryEvent = LibraryCreated | LibrarySettingsChanged | LibraryRelocated | LibraryDeleted
