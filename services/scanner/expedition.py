"""One attempt's walk: the survey in a thread, lookups and appends on the event loop.

The thread waits for each lookup, and for the page before the last one, so at most two pages are in memory and a slow
database slows the walk down.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from linstock.crashpoints import reach
from linstock.disk import Disk
from services.scanner.diff import Known
from services.scanner.file_system import file_system_of
from services.scanner.images import Images
from services.scanner.index import Index
from services.scanner.ledger import Ledger
from services.scanner.metrics import PAGES
from services.scanner.opened import Opened, OpenedArchives
from services.scanner.pages import Page, pages
from services.scanner.survey import Task, survey
from services.scanner.tally import Tally

ROOM_LOOK_S = 0.5

T = TypeVar("T")


class Expedition:
    """Made and awaited on the event loop; `stop` may be called from anywhere, any number of times."""

    def __init__(
        self,
        task: Task,
        *,
        ledger: Ledger,
        index: Index,
        archives: OpenedArchives,
        disk: Disk,
        now: Callable[[], datetime],
        file_system_of: Callable[[bytes], str] = file_system_of,
    ) -> None:
        self.tally = Tally()
        self.file_systems = ("", "")  # of the root, before the walk and after it
        self._task = task
        self._ledger = ledger
        self._index = index
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
        walking = self._loop.run_in_executor(executor, self._walk)
        try:
            await asyncio.shield(walking)
        finally:
            self.stop()
            # A cancelled run must not leave a thread behind that still appends.
            await asyncio.gather(walking, return_exceptions=True)

    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]:
        return self._call(self._index.known(collection_ids))

    def images(self, collection_id: UUID) -> Images:
        return self._call(self._index.images(collection_id))

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return self._call(self._archives.get(collection_ids))

    def remember(self, opened: dict[UUID, Opened]) -> None:
        self._call(self._archives.put(opened))

    def _walk(self) -> None:
        under_way: Future[None] | None = None
        before = self._file_system_of(self._task.root)
        changes = survey(self._task, self, self.tally, self._stopping.is_set)
        try:
            for page in pages(changes):
                if under_way:
                    under_way.result()
                under_way = asyncio.run_coroutine_threadsafe(self._record(page), self._loop)
        finally:
            if under_way:
                under_way.result()
        self.file_systems = (before, self._file_system_of(self._task.root))

    async def _record(self, page: Page) -> None:
        await self._room()
        recorded = await self._ledger.record(page, self._now())
        PAGES.inc()
        reach("after_page_append")
        await self._index.apply(self._task.library_id, recorded)

    async def _room(self) -> None:
        """A full disk makes a scan wait, under its lease and until its deadline; what it has found so far is kept."""
        while self._disk.full() and not self._stopping.is_set():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(ROOM_LOOK_S)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
