"""Libraries over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import BodyKwarg
from msgspec import UNSET, Meta, UnsetType

from linstock.messages.library import DEFAULT_CRON, DEFAULT_EXTENSIONS, DEFAULT_ZONE
from services.api.dto.removals import GuardBody, GuardDto, HeldRemovalsDto
from services.api.dto.wire import Body, Cron, Description, Name, Page, Wire, Zone, said, whole_number

_KNOWN = "|".join("".join(f"[{letter}{letter.upper()}]" for letter in each[1:]) for each in DEFAULT_EXTENSIONS)

Path = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="Absolute path of a folder on the server",
        extra_json_schema=said(pattern=r"^/[^\x00-\x1f\x7f-\x9f]*$", format="path"),
    ),
]
Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
Patterns = Annotated[
    list[Pattern],
    Meta(
        max_length=64,
        description="Lines of a .gitignore, relative to `path`",
        extra_json_schema=said(items={"type": "string", "minLength": 1, "maxLength": 200, "format": "gitignore"}),
    ),
]
Extension = Annotated[str, Meta(min_length=1, max_length=10)]
Extensions = Annotated[
    list[Extension],
    Meta(
        min_length=1,
        max_length=32,
        description=f"What is looked at; by default {' '.join(DEFAULT_EXTENSIONS)}",
        extra_json_schema=said(items={"type": "string", "pattern": rf"^\.?({_KNOWN})$"}),
    ),
]
PurgeAfter = Annotated[
    float, whole_number(0, 36_500, "What has been missing for so many days is forgotten for good; 0: never")
]


class CreateLibraryBody(Body, frozen=True):
    name: Name
    path: Path
    description: Description = ""
    auto_scan: bool = False
    cron_expression: Cron = DEFAULT_CRON
    time_zone: Zone = DEFAULT_ZONE
    include_subfolders: bool = True
    exclude_patterns: Patterns | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET
    guard: GuardBody | UnsetType = UNSET
    watch: bool = False
    purge_missing_after_days: PurgeAfter = 0


class ChangeLibraryBody(Body, frozen=True):
    """Only what is given changes."""

    name: Name | UnsetType = UNSET
    path: Path | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    auto_scan: bool | UnsetType = UNSET
    cron_expression: Cron | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    include_subfolders: bool | UnsetType = UNSET
    exclude_patterns: Patterns | UnsetType = UNSET
    extensions: Extensions | UnsetType = UNSET
    guard: GuardBody | UnsetType = UNSET
    watch: bool | UnsetType = UNSET
    purge_missing_after_days: PurgeAfter | UnsetType = UNSET


LibrarySort = Literal["name", "-name", "createdAt", "-createdAt"]


Mode = Literal["inotify", "polling", "off"]


class WatchingDto(Wire):
    """How changes on disk are noticed between scans. `reason` says in a sentence why it is not inotify; `since` is null
    while nothing watches."""

    mode: Mode
    since: datetime | None = None
    reason: str = ""


class LibraryDto(Wire):
    """`heldRemovals`: a scan did not find something and asks whether it is gone; null: nothing waits."""

    id: UUID
    name: str
    path: str
    description: str
    auto_scan: bool
    cron_expression: str
    time_zone: str
    include_subfolders: bool
    exclude_patterns: list[str]
    extensions: list[str]
    created_at: datetime
    updated_at: datetime
    version: int
    guard: GuardDto
    held_removals: HeldRemovalsDto | None
    watch: bool
    purge_missing_after_days: int
    watching: WatchingDto


class WrittenLibraryDto(LibraryDto):
    """`warnings`: sentences about what was done all the same."""

    warnings: list[str]


LibraryPage = Annotated[Page[LibraryDto], BodyKwarg(schema_component_key="LibraryPage")]
