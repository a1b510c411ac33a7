"""From a command to what is appended: load, decide, answer."""

from uuid import UUID

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.decider import Aggregate, Loaded, Snapshots
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.library import ChangeLibrary, CreateLibrary, LibraryCommand, LibraryEvent
from services.library import library, rules
from services.library.library import Library

LIBRARY: Aggregate[Library, LibraryEvent] = Aggregate(
    "library",
    initial=library.initial,
    evolve=library.evolve,
    events=LibraryEvent,
    state=Library,
    snapshots=Snapshots(shape="library.v1"),
)


class LibraryPlanner:
    """Plans library commands on one log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def plan(self, command: LibraryCommand, context: CommandContext) -> Plan:
        """Raises Refused: 404 for a library that is not there, 422 for settings that can't be."""
        library_id = _library_of(command, context)
        new = isinstance(command, CreateLibrary)
        loaded = LIBRARY.unborn(library_id) if new else await LIBRARY.load(self._log, library_id)
        _check(command, loaded)
        try:
            events = library.decide(command, loaded.state, library_id)
        except library.NoSuchLibrary as error:
            raise Refused(404, "library-not-found", str(error.__doc__)) from error
        return Plan(answer=Answer(status=201 if new else 200, id=library_id), appends=[loaded.append(events)])


def _library_of(command: LibraryCommand, context: CommandContext) -> UUID:
    if isinstance(command, CreateLibrary):
        return names.derived_id("library", context.command_id)
    return command.library_id


def _check(command: LibraryCommand, loaded: Loaded[Library, LibraryEvent]) -> None:
    try:
        if isinstance(command, CreateLibrary):
            rules.check(command.settings)
        elif isinstance(command, ChangeLibrary) and isinstance(loaded.state, library.Active):
            rules.check(library.changed(loaded.state.settings, command))
    except rules.InvalidSettings as error:
        raise Refused(422, "invalid-settings", str(error)) from error
