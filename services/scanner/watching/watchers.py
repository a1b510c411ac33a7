"""Keeps a watcher for each library that is this replica's to watch, and says how each of them watches."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as TookTooLong
from uuid import UUID, uuid4

import msgspec
import nats.errors
import structlog

from linstock import names
from linstock.bus.commands import BusAway, CommandSender
from linstock.cancellation import cancel
from linstock.disk import DiskFull
from linstock.messages.hints import HintPaths
from linstock.messages.schedule import ScanPath
from linstock.outage import plain
from linstock.roots import AllowedRoots
from services.scanner.images import displayed
from services.scanner.scope import Scope
from services.scanner.watching.roster import Roster, Watched
from services.scanner.watching.watcher import Pace, Watcher

logger = structlog.get_logger(__name__)

ACTOR = "scanner:watch"
LEASE_S = 3.0
EVERY_S = 1.0
PATHS_AT_ONCE = 1000
SENT_WITHIN_S = 10.0

Publish = Callable[[str, bytes], Awaitable[None]]


class Watchers:
    """Starts and stops with the service. While Postgres is away, what is watched stays so."""

    def __init__(
        self,
        roster: Roster,
        sender: CommandSender,
        publish: Publish,
        *,
        roots: AllowedRoots,
        pace: Pace | None = None,
        replica: UUID | None = None,
    ) -> None:
        self._roster = roster
        self._sender = sender
        self._publish = publish
        self._roots = roots
        self._pace = pace or Pace()
        self._replica = replica or uuid4()
        self._watching: dict[UUID, tuple[Watched, Watcher]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="watchers")

    async def stop(self) -> None:
        if self._task is None:
            return
        await cancel(self._task)
        self._task = None
        for _, watcher in self._watching.values():
            watcher.stop()
        self._watching.clear()
        with contextlib.suppress(Exception):  # the leases end by themselves
            await asyncio.wait_for(self._roster.leave(self._replica), 1)

    async def _run(self) -> None:
        while True:
            try:
                self._follow({each.library_id: each for each in await self._roster.lease(self._replica, LEASE_S)})
            except Exception as error:
                logger.info("Leases of watched libraries can't be renewed", reason=plain(error))
            for watched, watcher in self._watching.values():
                subject = names.watching_subject(watched.workspace, watched.library_id)
                with contextlib.suppress(nats.errors.Error, OSError):
                    await self._publish(subject, msgspec.json.encode(watcher.status))
            await asyncio.sleep(EVERY_S)

    def _follow(self, wanted: dict[UUID, Watched]) -> None:
        for library_id, (watched, watcher) in list(self._watching.items()):
            if wanted.get(library_id) != watched:
                watcher.stop()
                del self._watching[library_id]
        for library_id, watched in wanted.items():
            if library_id not in self._watching:
                watcher = self._watcher(watched)
                self._watching[library_id] = watched, watcher
                watcher.start()

    def _watcher(self, watched: Watched) -> Watcher:
        settings, loop = watched.settings, asyncio.get_running_loop()
        scope = Scope(
            include_subfolders=settings.include_subfolders,
            exclude_patterns=settings.exclude_patterns,
            extensions=settings.extensions,
        )

        def send(paths: list[bytes]) -> bool:
            try:
                return asyncio.run_coroutine_threadsafe(self._hint(watched, paths), loop).result(SENT_WITHIN_S)
            except (RuntimeError, TookTooLong):  # the loop is gone, or very busy
                return False

        return Watcher(os.fsencode(settings.path), scope, send, roots=self._roots, pace=self._pace)

    async def _hint(self, watched: Watched, paths: list[bytes]) -> bool:
        """Whether all was stored. What was not is said again as a whole, which does no harm."""
        for first in range(0, len(paths), PATHS_AT_ONCE):
            named = tuple(_scan_path(path) for path in paths[first : first + PATHS_AT_ONCE])
            command = HintPaths(library_id=watched.library_id, paths=named)
            try:
                await self._sender.send(names.SCHEDULER, watched.workspace, command, actor=ACTOR)
            except (BusAway, DiskFull) as error:
                logger.info("Hints wait", reason=str(error))
                return False
        return True


def _scan_path(path: bytes) -> ScanPath:
    text, raw = displayed(path)
    return ScanPath(path=text, path_bytes=raw)
