"""What people decide about removals that a scan held: load, decide, answer."""

from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer
from linstock.messages.catalogue import ApproveRemovals, RemovalsCommand
from services.scanner import catalogue
from services.scanner.catalogue import CATALOGUE
from services.scanner.index import Index


class RemovalsPlanner:
    """Plans on one log, with the index that says what was proposed."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def plan(self, command: RemovalsCommand, context: CommandContext) -> Plan:
        """Raises Refused: 404 for a hold that does not wait (another workspace's is not there), 409 while a scan of the
        library is under way."""
        try:
            return await self._decided(command, context)
        except catalogue.NoSuchHold as error:
            raise Refused(404, "removals-not-found", str(error.__doc__)) from error
        except catalogue.CatalogueBusy as error:
            raise Refused(409, "scan-already-open", str(error)) from error
        except catalogue.NothingProposed as error:
            raise Refused(409, "removals-unknown", str(error.__doc__)) from error

    async def _decided(self, command: RemovalsCommand, context: CommandContext) -> Plan:
        loaded = await CATALOGUE.load(self._log, command.library_id)
        await self._index.catch_up(self._log, command.library_id, version=loaded.version)
        if await self._index.workspace(command.library_id) != context.workspace:
            raise catalogue.NoSuchHold
        if isinstance(command, ApproveRemovals):
            hold = loaded.state.hold
            proposed = sorted(await self._index.proposals(command.library_id, hold)) if hold else []
            events = catalogue.approve(command, loaded.state, proposed=proposed, actor=context.actor, at=context.at)
        else:
            events = catalogue.reject(command, loaded.state, actor=context.actor, at=context.at)
        return Plan(answer=Answer(status=200, id=command.scan_id), appends=[loaded.append(events)])
