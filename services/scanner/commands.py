"""What people tell the scanner: load, decide, answer."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer, Many, Undone
from linstock.messages.catalogue import ApproveRemovals, PurgeMissing, RejectRemovals, RemovalsCommand, UndoScan
from linstock.messages.contents import AcceptRot, RotAccepted
from linstock.messages.scan import ScanUndone
from services.scanner import catalogue, history, purging, scan, undo
from services.scanner.catalogue import CATALOGUE
from services.scanner.diff import collection_id
from services.scanner.images import path_of
from services.scanner.index import Index
from services.scanner.purge import Purge
from services.scanner.scan import SCAN
from services.scanner.undo import Undo

ROT_AT_ONCE = 250
"""Files that one acceptance names: 512 KiB."""
PAGES_AT_ONCE = 64
"""32 MiB: all of an undo, or of a purge, is one append."""


Command = ApproveRemovals | RejectRemovals | UndoScan | PurgeMissing | AcceptRot


class Planner:
    """Plans on one log, with the index that says what was proposed."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def plan(self, command: Command, context: CommandContext) -> Plan:
        """Raises Refused: 404 for a hold that does not wait or a scan that is not there (another workspace's are not),
        409 while a scan of the library is under way."""
        try:
            if isinstance(command, UndoScan):
                return await self._undone(command, context)
            if isinstance(command, PurgeMissing):
                return await self._purged(command, context)
            if isinstance(command, AcceptRot):
                return await self._accepted(command, context)
            return await self._decided(command, context)
        except catalogue.NoSuchHold as error:
            raise Refused(404, "removals-not-found", str(error.__doc__)) from error
        except catalogue.CatalogueBusy as error:
            raise Refused(409, "scan-already-open", str(error)) from error
        except catalogue.NothingProposed as error:
            raise Refused(409, "removals-unknown", str(error.__doc__)) from error
        except scan.NothingToUndo as error:
            raise Refused(409, "nothing-to-undo", str(error.__doc__)) from error

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

    async def _accepted(self, command: AcceptRot, context: CommandContext) -> Plan:
        library_id, hashes = command.library_id, self._index.hashes
        if await self._index.workspace(library_id) not in (context.workspace, None):
            raise Refused(404, "library-not-found", "There is no such library.")
        await hashes.catch_up(self._log, library_id)
        version = await hashes.version(library_id)
        rotten = (await hashes.rotten(library_id))[:ROT_AT_ONCE]
        answer = Answer(status=200, id=library_id, many=Many(matched=len(rotten), changed=len(rotten)))
        if not rotten:
            return Plan(answer=answer)
        accepted = RotAccepted(library_id=library_id, actor=context.actor, files=tuple(rotten), at=context.at)
        append = Append(
            aggregate="contents",
            aggregate_id=names.contents_of(library_id),
            expected_version=version,
            events=[accepted],
        )
        return Plan(answer=answer, appends=[append])

    async def _purged(self, command: PurgeMissing, context: CommandContext) -> Plan:
        library_id = command.library_id
        loaded = await CATALOGUE.load(self._log, library_id)
        await self._index.catch_up(self._log, library_id, version=loaded.version)
        if await self._index.workspace(library_id) not in (context.workspace, None):
            raise Refused(404, "library-not-found", "There is no such library.")
        wanted = Purge(
            purge_id=context.command_id,
            library_id=library_id,
            actor=context.actor,
            missing_before=context.at - timedelta(days=command.older_than_days),
            at=context.at,
            only=frozenset(command.collections) or None,
        )
        counts, pages = await purging.due(self._log, wanted)
        _check_length(pages)
        answer = Answer(status=200, id=library_id, purged=counts)
        if command.dry_run or not pages:
            return Plan(answer=answer)
        return Plan(answer=answer, appends=[loaded.append(catalogue.purge(pages, loaded.state))])

    async def _undone(self, command: UndoScan, context: CommandContext) -> Plan:
        library_id, scan_id = command.library_id, command.scan_id
        loaded, ended = await CATALOGUE.load(self._log, library_id), await SCAN.load(self._log, scan_id)
        await self._index.catch_up(self._log, library_id, version=loaded.version)
        if await self._index.workspace(library_id) != context.workspace:
            raise scan.NothingToUndo
        undoing = await self._seen(command)
        counts = undoing.counts()
        verdicts = scan.undo(_verdict(command, ended.state.closed_attempt, counts, context), ended.state)
        pages = undoing.pages(library_id, ended.state.closed_attempt, context.at) if verdicts else []
        _check_length(pages)
        events = catalogue.revert(pages, loaded.state, scan_id=scan_id, library_id=library_id, at=context.at)
        answer = Answer(status=200, id=scan_id, undone=counts if verdicts else Undone())
        if command.dry_run or not verdicts:
            return Plan(answer=answer)
        return Plan(answer=answer, appends=[loaded.append(events), ended.append(verdicts)])

    async def _seen(self, command: UndoScan) -> Undo:
        ids: set[UUID] = set()
        async for events in history.batches(self._log, command.library_id):
            ids |= undo.touched((CATALOGUE.decode(event.data) for event in events), command.scan_id)
        undoing = Undo(command.scan_id, ids)
        if ids:
            async for events in history.batches(self._log, command.library_id):
                for event in events:
                    undoing.see(CATALOGUE.decode(event.data))
            await self._leave_alone(undoing, command.library_id)
        return undoing

    async def _leave_alone(self, undoing: Undo, library_id: UUID) -> None:
        """What moved stays where it is if another collection is by now where it was: two can't be at one place. Then
        what wants to return to where that one is must stay as well."""
        places = {
            each: collection_id(library_id, entry.kind, path_of(entry)) for each, entry in undoing.returning().items()
        }
        there = await self._index.present_at(list(places.values())) if places else {}
        while taken := [
            each
            for each in undoing.returning()
            if any(other != each and not undoing.undoes(other) for other in there.get(places[each], ()))
        ]:
            undoing.leave_alone(taken)


def _check_length(pages: Sequence[object]) -> None:
    if len(pages) > PAGES_AT_ONCE:
        detail = f"That is more than {PAGES_AT_ONCE} pages of {catalogue.IDS_OF_PAGE:,} collections can hold."
        raise Refused(413, "too-large", detail)


def _verdict(command: UndoScan, attempt: int, counts: Undone, context: CommandContext) -> ScanUndone:
    return ScanUndone(
        scan_id=command.scan_id,
        library_id=command.library_id,
        attempt=attempt,
        actor=context.actor,
        at=context.at,
        withdrawn=counts.withdrawn,
        changed=counts.changed,
        restored=counts.restored,
        missing=counts.missing,
        left_alone=counts.left_alone,
    )
