"""The end of a scan: what it did not find is marked missing, or somebody is asked; what is there again is restored."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.eventlog.record import Recorded
from linstock.messages.catalogue import RemovalsHeld
from linstock.messages.library import RemovalGuard
from services.scanner import guard, removal_pages
from services.scanner.checkpoint import SoFar
from services.scanner.diff import Gone
from services.scanner.file_moving import FileMoving
from services.scanner.guard import Doubt, Sight
from services.scanner.index import Index
from services.scanner.ledger import Attempt, Ledger
from services.scanner.outcome import NOTHING, Unseen
from services.scanner.reach import EVERYWHERE, Reach
from services.scanner.scope import Scope
from services.scanner.tally import Tally


class Looked(Struct, frozen=True, kw_only=True):
    """What a walk saw, and on which file system: before it and after it."""

    tally: Tally
    before: str
    after: str
    reach: Reach = EVERYWHERE

    @property
    def steady(self) -> bool:
        """Whether the folder was the same all the time."""
        return self.before == self.after

    @property
    def file_system(self) -> str:
        """Empty: it can't be told."""
        return self.before if self.steady else ""


class Concluded(Struct, frozen=True, kw_only=True):
    """`missing` collections and images were marked. `held` is to go with the verdict, of which `waiting` collections
    wait for a person; `settles`: none does any more. `file_system`: where the content is now; empty: as before."""

    unseen: Unseen
    missing: int = 0
    held: RemovalsHeld | None = None
    waiting: int = 0
    settles: bool = False
    file_system: str = ""


class Removals:
    """Of one attempt that has walked all it was to walk, and still owns the catalogue."""

    def __init__(
        self,
        attempt: Attempt,
        *,
        ledger: Ledger,
        index: Index,
        allowed: RemovalGuard,
        now: Callable[[], datetime],
        earlier: SoFar = NOTHING,
    ) -> None:
        """`earlier`: what attempts before this one have recorded."""
        self._earlier = earlier
        self._attempt = attempt
        self._ledger = ledger
        self._index = index
        self._allowed = allowed
        self._now = now

    async def conclude(self, looked: Looked, scope: Scope) -> Concluded:
        """Raises NotOwner, and what the log raises."""
        tally, library_id = looked.tally, self._attempt.library_id
        unseen = await self._index.unseen(
            library_id, scope, tally.seen, unknown=tally.knows_nothing_of, reach=looked.reach
        )
        await self._restore(tally)
        emptied = await self._emptied(looked, unseen)
        concluded = await self._judge(looked, unseen, emptied)
        return replace(concluded, unseen=unseen, missing=concluded.missing + len(emptied))

    async def _emptied(self, looked: Looked, unseen: Unseen) -> set[UUID]:
        """Images that went elsewhere are no removals, and nobody needs to be asked about a folder all of which did: it
        is marked."""
        if not looked.steady:
            return set()
        moving = FileMoving(self._attempt.library_id, ledger=self._ledger, index=self._index, now=self._now)
        emptied = await moving.record(looked.tally, unseen.absent)
        if emptied:
            await self._mark(sorted(emptied), [])
        return emptied

    async def _judge(self, looked: Looked, unseen: Unseen, emptied: set[UUID]) -> Concluded:
        unseen = replace(unseen, absent=[each for each in unseen.absent if each not in emptied])
        hold = self._ledger.hold
        proposed = await self._index.proposals(self._attempt.library_id, hold) if hold else set[UUID]()
        # Nobody is asked again about what was rejected, unless more is gone.
        kept = proposed if hold and hold.rejected else set[UUID]()
        fresh = [each for each in unseen.absent if each not in kept]
        doubt = self._doubt(looked, unseen) if fresh or not kept else None
        if doubt:
            return await self._ask(doubt, unseen.absent, looked, unseen, proposed - kept)
        trusted = looked.steady and not (kept and unseen.absent)
        missing = await self._mark(fresh, looked.tally.gone if trusted else [])
        return await self._decided(looked, unseen, missing, proposed - kept, rejected=kept)

    def _doubt(self, looked: Looked, unseen: Unseen) -> Doubt | None:
        tally, before = looked.tally, self._ledger.file_system
        return guard.doubt(
            Sight(
                present=max(len(unseen.absent), unseen.present - self._new(tally)),
                absent=len(unseen.absent),
                root_entries=tally.root_entries,
                # A part of a library may well hold nothing any more.
                found=tally.collections or not looked.reach.whole,
                same_file_system=looked.steady and before in ("", looked.before),
            ),
            self._allowed,
        )

    def _new(self, tally: Tally) -> int:
        """Collections that were not there before the scan."""
        return tally.added + tally.recorded_again + self._earlier.added

    async def _ask(
        self, doubt: Doubt, absent: list[UUID], looked: Looked, unseen: Unseen, proposed: set[UUID]
    ) -> Concluded:
        """Hold what is absent, with what an earlier scan proposed and this one could not see either way."""
        wanted = sorted({*absent, *proposed.intersection(unseen.unknown)})
        if proposed == set(wanted):
            return Concluded(unseen=unseen, waiting=len(wanted))  # it waits already
        reach("before_holding")
        for page in removal_pages.ids(wanted):
            await self._reflect(await self._ledger.propose(page, self._now()))
        reach("after_proposing_before_verdict")
        held = RemovalsHeld(
            scan_id=self._attempt.scan_id,
            library_id=self._attempt.library_id,
            attempt=self._attempt.attempt,
            count=len(wanted),
            reason=doubt.reason,
            message=doubt.message,
            at=self._now(),
            file_system=looked.file_system,
        )
        return Concluded(unseen=unseen, held=held, waiting=len(wanted))

    async def _decided(
        self, looked: Looked, unseen: Unseen, missing: int, proposed: set[UUID], *, rejected: set[UUID]
    ) -> Concluded:
        """Nobody needs to be asked about this scan; a hold stays for what it could not see either way."""
        hold, found = self._ledger.hold, looked.tally.collections > 0
        if hold and not hold.rejected and (left := sorted(proposed.intersection(unseen.unknown))):
            asked = await self._ask(Doubt(hold.reason, hold.message), left, looked, unseen, proposed)
            return Concluded(unseen=unseen, missing=missing, held=asked.held, waiting=asked.waiting)
        absent_still = not rejected.isdisjoint(unseen.absent)
        settled = found and not absent_still
        return Concluded(
            unseen=unseen,
            missing=missing,
            settles=hold is not None and settled,
            waiting=0 if settled or hold is None or hold.rejected else hold.count,
            file_system=looked.file_system if settled else "",
        )

    async def _restore(self, tally: Tally) -> None:
        reach("before_restoring")
        for page in removal_pages.ids(tally.restored):
            await self._reflect(await self._ledger.restore(page, self._now()))
        reach("after_restoring")

    async def _mark(self, collections: list[UUID], gone: list[Gone]) -> int:
        """How many collections and images."""
        reach("before_marking_missing")
        for page in removal_pages.ids(collections):
            await self._reflect(await self._ledger.mark_missing(page, (), self._now()))
        reach("between_marking_collections_and_images")
        for files in removal_pages.files(gone):
            await self._reflect(await self._ledger.mark_missing((), files, self._now()))
        reach("after_marking_missing")
        return len(collections) + sum(len(one.names) for one in gone)

    async def _reflect(self, recorded: list[Recorded]) -> None:
        await self._index.apply(self._attempt.library_id, recorded)
