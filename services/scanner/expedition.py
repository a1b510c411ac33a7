"""One attempt's walk: the survey in a thread, lookups and appends on the event loop.

The thread waits for each lookup, and for the page before the last one, so at most two pages are in memory and a slow
database slows the walk down.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from asyncpg import Record
from msgspec import Struct
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.disk import Disk
from services.scanner.batch import Passed
from services.scanner.checkpoint import Checkpoint, Pace
from services.scanner.diff import Change, Known
from services.scanner.file_system import file_system_of
from services.scanner.identity import Kin, Kinship
from services.scanner.images import Images
from services.scanner.index import Index
from services.scanner.index_moves import Elsewhere
from services.scanner.ledger import Ledger
from services.scanner.listing import Stopped
from services.scanner.metrics import PAGES
from services.scanner.opened import Opened, OpenedArchives
from services.scanner.pages import Page, pages
from services.scanner.places import is_there
from services.scanner.preview import Preview
from services.scanner.remembered import FolderRow, Remembered
from services.scanner.survey import survey
from services.scanner.tally import Tally
from services.scanner.task import QUICK, Task
from services.scanner.walk import is_empty

ROOM_LOOK_S = 0.5
ROWS_AT_ONCE = 1000
PAGE_BYTES = 160 * 1024
"""About 4,000 images: what is on a page that is not recorded yet is looked at again after a kill."""
PAGE_AFTER_S = 1.0
PAGE_SHARE = 25  # of the time since the walk began
LOOK_UP_S = 0.1  # whether it shall stop, while it waits for Postgres

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class Kept(Struct, frozen=True):
    """Rows to store, paths of rows to forget, and how far the walk has come then."""

    rows: list[FolderRow]
    gone: list[bytes]
    through: bytes | None


class Expedition:
    """Made and awaited on the event loop; `stop` may be called from anywhere, any number of times. `resumes`: what
    an earlier attempt of the scan has compared is not looked at again."""

    def __init__(
        self,
        task: Task,
        *,
        scan_id: UUID,
        resumes: bool,
        tally: Tally,
        stopping: threading.Event,
        ledger: Ledger | Preview,
        index: Index,
        archives: OpenedArchives,
        disk: Disk,
        now: Callable[[], datetime],
        file_system_of: Callable[[bytes], str] = file_system_of,
    ) -> None:
        self.tally = tally
        self.file_systems = ("", "")  # of the root, before the walk and after it
        self.task = task
        self._ledger = ledger
        self._index = index
        self._look = task.look()
        self._scan_id = scan_id
        self._resumes = resumes
        self._rows: list[FolderRow] = []
        self._through: bytes | None = None
        self._remembered = Remembered()
        self._file_system = ""
        self._knows_nothing = False
        self._others: dict[UUID, bytes] = {}  # roots of other libraries that are there
        self._same = 0  # folders that are as their row says, since the last checkpoint
        self._disowned = 0  # of the rows aside: their predecessors are deleted
        self._noting: Future[None] | None = None
        self._under_way: Future[None] | None = None
        self._pace = Pace()
        self._page_at_s = self._began_s = 0.0
        self._disk = disk
        self._archives = archives
        self._now = now
        self._file_system_of = file_system_of
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """At the next folder. `run` raises Stopped then."""
        self._stopping.set()

    async def run(self, executor: Executor) -> None:
        """Walk, and record every change. Raises RootUnavailable, Stopped, NotOwner, and what the log raises."""
        self.tally.phase = "walking"
        stored = await self._index.folders.load(self.task.library_id, self._look, self.task.reach)
        checkpoint = None
        if self._resumes:
            checkpoint = await self._index.folders.checkpoint(self.task.library_id, self._look, self._scan_id)
        self._knows_nothing = not stored and await self._index.knows_nothing(self.task.library_id)
        others = await self._index.others(self.task.library_id)
        walking = self._loop.run_in_executor(executor, self._walk, stored, checkpoint, others)
        try:
            await asyncio.shield(walking)
        except BaseException:
            # A cancelled run must not leave a thread behind that still appends.
            self.stop()
            await asyncio.gather(walking, return_exceptions=True)
            raise

    def known(self, places: Sequence[UUID]) -> dict[UUID, Known]:
        # What this attempt records itself, it does not see twice.
        return {} if self._knows_nothing else self._call(self._index.known(places))

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        if self._knows_nothing and not self._others:
            return Kinship()
        others = list(self._others)
        asking = self._index.kinship(self.task.library_id, places, digests=digests, archives=archives, others=others)
        found = self._call(asking)
        return replace(found, kin=tuple(self._located(each) for each in found.kin))

    def _located(self, kin: Kin) -> Kin:
        return kin if kin.library_id is None else replace(kin, root=self._others[kin.library_id])

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        return self._call(self._index.images(collection_ids))

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return self._call(self._archives.get(collection_ids))

    def remember(self, opened: dict[UUID, Opened]) -> None:
        if not self.task.dry_run:
            self._call(self._archives.put(opened))

    def _walk(self, stored: Iterable[Record], checkpoint: Checkpoint | None, others: Sequence[Elsewhere]) -> None:
        self._others = {each.library_id: each.root for each in others if is_there(each.root, each.file_system)}
        before = self._file_system = self._file_system_of(self.task.root)
        if checkpoint and checkpoint.file_system == before != "":
            self._through = checkpoint.through
        rows = ((row["path"], row["folder"]) for row in stored)
        remembered = self._remembered = Remembered(rows, quick=self.task.mode == QUICK, through=self._through)
        if not self.task.reach.whole:
            self.tally.root_entries = 0 if is_empty(self.task.root) else 1
        self._pace = Pace()
        self._page_at_s = self._began_s = time.monotonic()
        found = survey(self.task, self, self.tally, self._stopping.is_set, remembered)
        try:
            for page in pages(self._changes(found), limit_bytes=PAGE_BYTES):
                self._settle()
                reach("between_pages")
                self._under_way = asyncio.run_coroutine_threadsafe(self._record(page, self._take_kept()), self._loop)
                self._page_at_s = time.monotonic()
        finally:
            self._settle()
        kept = self._take_kept(gone=remembered.unseen())
        if kept.rows or kept.gone or self._same:
            self._call(self._keep(kept))
        logger.info(
            "Walked",
            scan_id=str(self._scan_id),
            folders=self.tally.folders,
            listed=self.tally.listed,
            resumed=remembered.resumed,
        )
        reach("after_walk")
        self.file_systems = (before, self._file_system_of(self.task.root))

    def _changes(self, found: Iterable[Change | FolderRow | Passed]) -> Iterator[Change | None]:
        """Puts the rows aside. Once a page is cut, all changes of the folders whose rows came before are on it or on an
        earlier one; where nothing changes there is no page to wait for."""
        changed = False
        for item in found:
            if isinstance(item, FolderRow):
                self._rows.append(item)
            elif not isinstance(item, Passed):
                changed = True
                yield item
            else:
                self._through = item.path
                self._same += not self._rows or self._rows[-1].path != item.path
                if changed and self._page_is_due():
                    yield None
                    changed = False
                if self._pace.due() or len(self._rows) >= ROWS_AT_ONCE:
                    self._checkpoint(changed=changed)

    def _page_is_due(self) -> bool:
        """Rows wait for the page with the changes before them; it shall not keep them waiting for long."""
        now = time.monotonic()
        late = now - self._page_at_s >= max(PAGE_AFTER_S, (now - self._began_s) / PAGE_SHARE)
        return len(self._rows) >= ROWS_AT_ONCE or (late and bool(self._rows))

    def _checkpoint(self, *, changed: bool) -> None:
        """Without waiting for it. What still waits for a page loses its row, so that whoever goes on looks again."""
        if (self._under_way and not self._under_way.done()) or (self._noting and not self._noting.done()):
            return
        self._settle()
        doubted = self._remembered.take_doubted()
        if changed:
            if not self._same and not doubted:
                return
            waiting = [row.path for row in self._rows[self._disowned :]]
            self._disowned = len(self._rows)
            kept = Kept([], [*doubted, *waiting], self._through)
        else:
            kept = self._take_kept(gone=doubted)
        self._same = 0
        self._noting = asyncio.run_coroutine_threadsafe(self._keep(kept), self._loop)

    def _take_kept(self, gone: Sequence[bytes] = ()) -> "Kept":
        taken, self._rows, self._disowned = self._rows, [], 0
        return Kept(taken, [*gone, *self._remembered.take_doubted()], self._through)

    def _settle(self) -> None:
        """Until everything that was handed to the event loop is done."""
        for future in (self._noting, self._under_way):
            if future:
                self._wait(future)
        self._noting = self._under_way = None

    async def _record(self, page: Page, kept: "Kept") -> None:
        await self._room()
        recorded = await self._ledger.record(page, self._now())
        PAGES.inc()
        reach("after_page_append")
        if recorded:
            await self._index.apply(self.task.library_id, recorded)
            if page.arrived and isinstance(self._ledger, Ledger):
                await self._ledger.follow(page, self._index)
        reach("after_page_index_before_folders")
        await self._keep(kept)

    async def _keep(self, kept: "Kept") -> None:
        """Only after what they say is recorded. A dry run records nothing."""
        if self.task.dry_run:
            return
        reach("before_folder_rows")
        library_id, folders, version = self.task.library_id, self._index.folders, self._ledger.version
        checkpoint = self._checkpoint_at(kept.through)
        if kept.rows or kept.gone:
            await folders.keep(
                library_id, self._look, version=version, rows=kept.rows, gone=kept.gone, checkpoint=checkpoint
            )
        elif checkpoint:
            await folders.note(library_id, self._look, version=version, checkpoint=checkpoint)
        reach("after_folder_rows")

    def _checkpoint_at(self, through: bytes | None) -> Checkpoint | None:
        if through is None or not self._file_system:
            return None
        return Checkpoint(scan_id=self._scan_id, file_system=self._file_system, through=through)

    async def _room(self) -> None:
        """A full disk makes a scan wait, under its lease and until its deadline; what it has found so far is kept."""
        while self._disk.full() and not self._stopping.is_set():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(ROOM_LOOK_S)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return self._wait(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _wait(self, future: "Future[T]") -> T:
        """Whoever stops a scan does not wait for a slow database."""
        while True:
            try:
                return future.result(LOOK_UP_S)
            except TimeoutError:
                if future.done():
                    return future.result()
                if self._stopping.is_set():
                    future.cancel()
                    raise Stopped from None
