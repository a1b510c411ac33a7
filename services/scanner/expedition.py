"""One attempt's walk: the survey in a thread, lookups and appends on the event loop.

The thread waits for each lookup, and for the page before the last one, so at most two pages are in memory and a slow
database slows the walk down.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from asyncpg import Record

from linstock.crashpoints import reach
from linstock.disk import Disk
from services.scanner.diff import Change, Known
from services.scanner.file_system import file_system_of
from services.scanner.identity import Kinship
from services.scanner.images import Images
from services.scanner.index import Index
from services.scanner.ledger import Ledger
from services.scanner.metrics import PAGES
from services.scanner.opened import Opened, OpenedArchives
from services.scanner.pages import Page, pages
from services.scanner.preview import Preview
from services.scanner.remembered import FolderRow, Remembered
from services.scanner.survey import survey
from services.scanner.tally import Tally
from services.scanner.task import QUICK, Task
from services.scanner.walk import is_empty

ROOM_LOOK_S = 0.5
ROWS_AT_ONCE = 1000

T = TypeVar("T")


class Expedition:
    """Made and awaited on the event loop; `stop` may be called from anywhere, any number of times."""

    def __init__(
        self,
        task: Task,
        *,
        ledger: Ledger | Preview,
        index: Index,
        archives: OpenedArchives,
        disk: Disk,
        now: Callable[[], datetime],
        file_system_of: Callable[[bytes], str] = file_system_of,
    ) -> None:
        self.tally = Tally()
        self.file_systems = ("", "")  # of the root, before the walk and after it
        self.task = task
        self._ledger = ledger
        self._index = index
        self._look = task.look()
        self._rows: list[FolderRow] = []
        self._disk = disk
        self._archives = archives
        self._now = now
        self._file_system_of = file_system_of
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """At the next folder. `run` raises Stopped then."""
        self._stopping.set()

    async def run(self, executor: Executor) -> None:
        """Walk, and record every change. Raises RootUnavailable, Stopped, NotOwner, and what the log raises."""
        stored = await self._index.folders.load(self.task.library_id, self._look, self.task.reach)
        walking = self._loop.run_in_executor(executor, self._walk, stored)
        try:
            await asyncio.shield(walking)
        finally:
            self.stop()
            # A cancelled run must not leave a thread behind that still appends.
            await asyncio.gather(walking, return_exceptions=True)

    def known(self, places: Sequence[UUID]) -> dict[UUID, Known]:
        return self._call(self._index.known(places))

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        return self._call(self._index.kinship(self.task.library_id, places, digests=digests, archives=archives))

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        return self._call(self._index.images(collection_ids))

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return self._call(self._archives.get(collection_ids))

    def remember(self, opened: dict[UUID, Opened]) -> None:
        if not self.task.dry_run:
            self._call(self._archives.put(opened))

    def _walk(self, stored: Iterable[Record]) -> None:
        rows = ((row["path"], row["folder"]) for row in stored)
        remembered = Remembered(rows, quick=self.task.mode == QUICK)
        under_way: Future[None] | None = None
        before = self._file_system_of(self.task.root)
        if not self.task.reach.whole:
            self.tally.root_entries = 0 if is_empty(self.task.root) else 1
        try:
            for page in pages(self._changes(survey(self.task, self, self.tally, self._stopping.is_set, remembered))):
                if under_way:
                    under_way.result()
                under_way = asyncio.run_coroutine_threadsafe(self._record(page, self._take_rows()), self._loop)
        finally:
            if under_way:
                under_way.result()
        gone = remembered.unseen()
        if gone or self._rows:
            self._call(self._keep(self._take_rows(), gone))
        self.file_systems = (before, self._file_system_of(self.task.root))

    def _changes(self, found: Iterable[Change | FolderRow]) -> Iterator[Change]:
        """Puts the rows aside. Once a page is cut, all changes of the folders whose rows came before are on it or on an
        earlier one; where nothing changes there is no page to wait for."""
        changed = False
        for item in found:
            if isinstance(item, FolderRow):
                self._rows.append(item)
                if not changed and len(self._rows) >= ROWS_AT_ONCE:
                    self._call(self._keep(self._take_rows()))
            else:
                changed = True
                yield item

    def _take_rows(self) -> list[FolderRow]:
        taken, self._rows = self._rows, []
        return taken

    async def _record(self, page: Page, rows: list[FolderRow]) -> None:
        await self._room()
        recorded = await self._ledger.record(page, self._now())
        PAGES.inc()
        reach("after_page_append")
        if recorded:
            await self._index.apply(self.task.library_id, recorded)
        reach("after_page_index_before_folders")
        await self._keep(rows)

    async def _keep(self, rows: list[FolderRow], gone: Sequence[bytes] = ()) -> None:
        """Only after what they say is recorded. A dry run records nothing."""
        if self.task.dry_run:
            return
        await self._index.folders.keep(
            self.task.library_id, self._look, version=self._ledger.version, rows=rows, gone=gone
        )

    async def _room(self) -> None:
        """A full disk makes a scan wait, under its lease and until its deadline; what it has found so far is kept."""
        while self._disk.full() and not self._stopping.is_set():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(ROOM_LOOK_S)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
