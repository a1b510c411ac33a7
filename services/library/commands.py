"""From a command to what is appended: load, decide, answer."""

import asyncio
from uuid import UUID

from msgspec import UNSET

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.decider import Aggregate, Loaded, Snapshots
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.library import (
    ChangeLibrary,
    CreateLibrary,
    DeleteLibrary,
    LibraryCommand,
    LibraryEvent,
    Settings,
)
from linstock.messages.path import PathEvent
from linstock.roots import AllowedRoots
from services.library import library, path, rules
from services.library.folders import RESOLVE_WITHIN_S, Folders, resolved
from services.library.library import Library
from services.library.path import Path

LIBRARY: Aggregate[Library, LibraryEvent] = Aggregate(
    "library",
    initial=library.initial,
    evolve=library.evolve,
    events=LibraryEvent,
    state=Library,
    snapshots=Snapshots(shape="library.v2"),
)
PATH: Aggregate[Path, PathEvent] = Aggregate(
    "path", initial=path.initial, evolve=path.evolve, events=PathEvent, state=Path
)


class LibraryPlanner:
    """Plans library commands on one log."""

    def __init__(self, log: EventLog, roots: AllowedRoots) -> None:
        self._log = log
        self._roots = roots
        self._folders = Folders(log)

    async def plan(self, command: LibraryCommand, context: CommandContext) -> Plan:
        """Raises Refused: 404 for a library that is not there (another workspace's is not), 409 for a folder that
        another library has, 412 for another version, 422 for settings that can't be."""
        library_id = _library_of(command, context)
        new = isinstance(command, CreateLibrary)
        if not new:
            await self._check_workspace(library_id, context.workspace)
        loaded = LIBRARY.unborn(library_id) if new else await LIBRARY.load(self._log, library_id)
        command = _tidied(command, loaded)
        _check_version(command, loaded)
        try:
            events = library.decide(command, loaded.state, library_id, at=context.at)
        except library.NoSuchLibrary as error:
            raise _no_such_library() from error
        after = loaded.after(events).state
        moves, warnings = await self._moves(library_id, loaded.state, after, context.workspace)
        answer = Answer(status=201 if new else 200, id=library_id, warnings=warnings)
        return Plan(answer=answer, appends=[loaded.append(events), *moves])

    async def _check_workspace(self, library_id: UUID, workspace: str) -> None:
        """What another workspace has is not there: whoever asks must not even learn that it exists."""
        await self._folders.catch_up()
        if self._folders.workspace_of(library_id) != workspace:
            raise _no_such_library()

    async def _moves(
        self, library_id: UUID, before: Library, after: Library, workspace: str
    ) -> tuple[list[Append], tuple[str, ...]]:
        """The folder that is left, and the one that is taken; with what there is to say about the latter."""
        old = before.settings.path if isinstance(before, library.Active) else None
        new = after.settings.path if isinstance(after, library.Active) else None
        if old == new:
            return [], ()
        moves = []
        if old is not None:
            held = await PATH.load(self._log, names.path_of(workspace, old))
            moves.append(held.append(path.release(held.state, old, library_id)))
        if new is None:
            return moves, ()
        taken, warnings = await self._take(library_id, new, workspace)
        return [*moves, taken], warnings

    async def _take(self, library_id: UUID, wanted: str, workspace: str) -> tuple[Append, tuple[str, ...]]:
        if refusal := await self._refusal(wanted):
            raise Refused(422, "path-not-allowed", refusal, field="path")
        real, folder, _ = await asyncio.gather(
            resolved(wanted), PATH.load(self._log, names.path_of(workspace, wanted)), self._folders.catch_up()
        )
        if other := self._folders.same(real, workspace, library_id):
            raise _taken(wanted, f"{other.name} ({other.library_id})")
        try:
            append = folder.append(path.take(folder.state, wanted, library_id))
        except path.PathIsTaken as error:
            raise _taken(wanted, str(error.library_id)) from error
        overlapping = self._folders.overlapping(real, workspace, library_id)
        return append, tuple(
            f"{wanted} and the folder of library {other.name}, {other.path}, lie in each other:"
            " what both hold is catalogued twice."
            for other in overlapping
        )

    async def _refusal(self, wanted: str) -> str | None:
        if not self._roots.confine:
            return None
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._roots.refusal, wanted), RESOLVE_WITHIN_S)
        except TimeoutError:
            return "its disk does not answer, so nobody can tell whether libraries are allowed there"


def _no_such_library() -> Refused:
    return Refused(404, "library-not-found", str(library.NoSuchLibrary.__doc__))


def _taken(wanted: str, by: str) -> Refused:
    detail = f"{wanted} is the folder of library {by} already: change that one, or give another folder."
    return Refused(409, "path-taken", detail, field="path")


def _library_of(command: LibraryCommand, context: CommandContext) -> UUID:
    if isinstance(command, CreateLibrary):
        return names.derived_id("library", context.command_id)
    return command.library_id


def _tidied(command: LibraryCommand, loaded: Loaded[Library, LibraryEvent]) -> LibraryCommand:
    """The command with its settings written in the one way that is stored. Raises Refused."""
    try:
        if isinstance(command, CreateLibrary):
            return CreateLibrary(settings=_checked(command.settings))
        if isinstance(command, ChangeLibrary) and isinstance(loaded.state, library.Active):
            wanted = _checked(library.changed(loaded.state.settings, command))
            given = [name for name in Settings.__struct_fields__ if getattr(command, name) is not UNSET]
            fields = {name: getattr(wanted, name) for name in given}
            return ChangeLibrary(library_id=command.library_id, if_versions=command.if_versions, **fields)
    except rules.InvalidSettings as error:
        raise Refused(422, "invalid", error.reason, field=error.field) from error
    return command


def _checked(settings: Settings) -> Settings:
    tidy = rules.tidy(settings)
    rules.check(tidy)
    return tidy


def _check_version(command: LibraryCommand, loaded: Loaded[Library, LibraryEvent]) -> None:
    if not isinstance(command, ChangeLibrary | DeleteLibrary) or not command.if_versions:
        return
    if isinstance(loaded.state, library.Active) and loaded.version not in command.if_versions:
        detail = f"The library was changed since: its version is {loaded.version}. Read it again."
        raise Refused(412, "precondition-failed", detail)
