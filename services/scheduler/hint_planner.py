"""Hints are noted when they come; the scan that they lead to is asked for by `hinting.py`."""

from linstock import names
from linstock.bus.inbox import CommandContext, NotYet, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.hints import HintPaths
from services.scheduler import hints
from services.scheduler.hints import ReceiveHints
from services.scheduler.index import Index
from services.scheduler.known import HINTS
from services.scheduler.limits import check_paths
from services.scheduler.schedule import Deleted


class HintPlanner:
    """One event per command, however many paths it names."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def hint(self, command: HintPaths, context: CommandContext) -> Plan:
        """Raises Refused, and NotYet for a library that was not heard of."""
        check_paths(command.paths)
        known = self._index.schedules.get(names.schedule_of(command.library_id))
        if known is None:
            raise NotYet(f"There is no library {command.library_id}.")
        if known.workspace != context.workspace or (isinstance(known.state, Deleted) and known.state.last is None):
            raise Refused(404, "library-not-found", f"There is no library {command.library_id}.")
        loaded = await HINTS.load(self._log, names.hints_of(command.library_id))
        events = hints.decide(ReceiveHints(hint=command, at=context.at), loaded.state)
        return Plan(answer=Answer(status=202, id=command.library_id), appends=[loaded.append(events)])
