"""Libraries as their owners set them. From the library log."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.library import (
    LibraryCreated,
    LibraryDeleted,
    LibraryRelocated,
    LibrarySettingsChanged,
    Settings,
)
from services.projection.fact import Fact
from services.projection.rows import Rows


class Library(Struct, frozen=True):
    """`exclude_patterns`, `extensions` and `guard` are JSON."""

    library_id: UUID
    workspace: str
    name: str
    path: str
    description: str
    auto_scan: bool
    cron_expression: str
    time_zone: str
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    include_subfolders: bool = True
    exclude_patterns: str = "[]"
    extensions: str = "[]"
    guard: str = "{}"
    watch: bool = False
    purge_missing_after_days: int = 0


def rows() -> Rows[Library]:
    return Rows("libraries", Library, key=("library_id",))


def reads(fact: Fact) -> Iterable[UUID]:
    match fact.event:
        case LibrarySettingsChanged() | LibraryRelocated() | LibraryDeleted() as event:
            return (event.library_id,)
        case _:
            return ()


def fold(libraries: Rows[Library], fact: Fact) -> None:
    match fact.event:
        case LibraryCreated(library_id=library_id, settings=settings):
            libraries.put(_row(library_id, settings, fact, created_at=fact.time))
        case LibrarySettingsChanged() | LibraryRelocated() as event:
            if known := libraries.get(event.library_id):
                libraries.put(_row(event.library_id, event.settings, fact, created_at=known.created_at))
        case LibraryDeleted(library_id=library_id):
            if known := libraries.get(library_id):
                libraries.put(replace(known, version=fact.version, updated_at=fact.time, deleted_at=fact.time))
        case _:
            return


def _row(library_id: UUID, settings: Settings, fact: Fact, *, created_at: datetime) -> Library:
    return Library(
        library_id=library_id,
        workspace=fact.workspace,
        name=settings.name,
        path=settings.path,
        description=settings.description,
        auto_scan=settings.auto_scan,
        cron_expression=settings.cron_expression,
        time_zone=settings.time_zone,
        version=fact.version,
        created_at=created_at,
        updated_at=fact.time,
        include_subfolders=settings.include_subfolders,
        exclude_patterns=msgspec.json.encode(settings.exclude_patterns).decode(),
        extensions=msgspec.json.encode(settings.extensions).decode(),
        guard=msgspec.json.encode(settings.guard).decode(),
        watch=settings.watch,
        purge_missing_after_days=settings.purge_missing_after_days,
    )
