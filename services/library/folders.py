"""Which folder and workspace belong to which library, as this log says, and how folders lie to each other on this
machine's disks.

In memory, private, made from the log. What must hold whoever races is decided by the path's own aggregate (`path.py`);
this is for what that cannot see: folders in folders, links, and libraries from before folders were taken.
"""

import asyncio
import os
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.library import LibraryCreated, LibraryDeleted, LibraryRelocated, LibrarySettingsChanged

RESOLVE_WITHIN_S = 1.0  # a disk that is away may answer never
BATCH = 1_000

_Event = LibraryCreated | LibrarySettingsChanged | LibraryRelocated | LibraryDeleted
_EVENTS: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event)


class Folder(Struct, frozen=True):
    """`real` is the path with symbolic links resolved, as far as this machine knows it."""

    library_id: UUID
    workspace: str
    name: str
    path: str
    real: str


class Folders:
    """Call `catch_up` before asking."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._position = 0
        self._folders: dict[UUID, Folder] = {}
        self._workspaces: dict[UUID, str] = {}
        self._reading = asyncio.Lock()

    async def catch_up(self) -> None:
        """Reads what was appended since, by whatever process. Raises what Postgres raises."""
        async with self._reading:
            more = True
            while more:
                events = await self._log.read(self._position, limit=BATCH)
                for event in events:
                    await self._apply(event)
                    self._position = event.position
                more = len(events) == BATCH

    def workspace_of(self, library_id: UUID) -> str | None:
        """Also of a deleted library. None: there never was one."""
        return self._workspaces.get(library_id)

    def same(self, real: str, workspace: str, library_id: UUID) -> Folder | None:
        """Another library of the same folder."""
        return next((folder for folder in self._others(workspace, library_id) if folder.real == real), None)

    def overlapping(self, real: str, workspace: str, library_id: UUID) -> list[Folder]:
        """Other libraries whose folder lies in this one, or in whose folder this one lies."""
        return [
            folder
            for folder in self._others(workspace, library_id)
            if lies_in(real, folder.real) or lies_in(folder.real, real)
        ]

    def _others(self, workspace: str, library_id: UUID) -> list[Folder]:
        return [
            folder
            for folder in self._folders.values()
            if folder.workspace == workspace and folder.library_id != library_id
        ]

    async def _apply(self, event: Recorded) -> None:
        if event.aggregate != "library":
            return
        match _EVENTS.decode(event.data):
            case LibraryDeleted(library_id=library_id):
                self._folders.pop(library_id, None)
            case (
                LibraryCreated(library_id=library_id, settings=settings)
                | LibrarySettingsChanged(library_id=library_id, settings=settings)
                | LibraryRelocated(library_id=library_id, settings=settings)
            ):
                known = self._folders.get(library_id)
                real = known.real if known and known.path == settings.path else await resolved(settings.path)
                self._workspaces[library_id] = event.workspace
                self._folders[library_id] = Folder(library_id, event.workspace, settings.name, settings.path, real)


async def resolved(path: str) -> str:
    """The path without symbolic links; as it is when the disk does not answer within a second."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(os.path.realpath, path), RESOLVE_WITHIN_S)
    except (TimeoutError, OSError):
        return path


def lies_in(inner: str, outer: str) -> bool:
    """Of resolved paths. Also when both are the same folder."""
    # Every command compares with every library: pathlib would take a second for some ten thousand.
    return inner == outer or inner.startswith(outer if outer.endswith("/") else f"{outer}/")
