"""Watches one library, on a thread of its own, and says what has come to rest."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog
from msgspec import Struct
from watchfiles import watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from linstock.messages.watching import INOTIFY, OFF, POLLING, Watching
from linstock.roots import AllowedRoots
from services.scanner.opening import open_below
from services.scanner.scope import Scope
from services.scanner.watching import place, relevant
from services.scanner.watching.polling import FolderTimes
from services.scanner.watching.settling import BETWEEN_LOOKS_S, QUIET_S, Settling

logger = structlog.get_logger(__name__)

Changes = Iterator[list[bytes]]


class Pace(Struct, frozen=True, kw_only=True):
    """Shorter ones are for tests."""

    quiet_s: float = QUIET_S
    between_s: float = BETWEEN_LOOKS_S
    poll_s: float = 30.0
    again_s: float = 10.0  # a root that can't be watched may be there again
    tick_s: float = 0.5


class Watcher:
    """`send` blocks, and says whether what it was given was told; what was not is told later. `status` may be read from
    anywhere."""

    def __init__(
        self,
        root: bytes,
        scope: Scope,
        send: Callable[[list[bytes]], bool],
        *,
        roots: AllowedRoots,
        pace: Pace,
    ) -> None:
        self.status = Watching(mode=OFF, since=datetime.now(UTC), reason="Watching has just begun.")
        self._root = root
        self._scope = scope
        self._send = send
        self._roots = roots
        self._pace = pace
        self._settling = Settling(quiet_s=pace.quiet_s, between_s=pace.between_s)
        self._unsent: dict[bytes, None] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends within a tick."""
        self._stopping.set()

    def _run(self) -> None:
        poll_because = ""
        while not self._stopping.is_set():
            try:
                identity = self._identity()
                poll_because = poll_because or place.why_not(self._root)
                changes = self._polled(poll_because) if poll_because else self._told()
                for changed in changes:
                    self._handle(changed)
                    if self._stopping.is_set() or self._identity() != identity:
                        break  # another disk may be there now
            except (OSError, WatchfilesRustInternalError) as error:
                poll_because = self._after(error, poll_because)
            except Exception as error:
                logger.exception("Watching failed, it begins again")
                self._say(OFF, f"Watching failed: {type(error).__name__}.")
                self._stopping.wait(self._pace.again_s)

    def _after(self, error: Exception, poll_because: str) -> str:
        """Why to poll from now on, if that helps."""
        text = str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EMFILE)
        if full or "limit reached" in text or "Too many open files" in text or "No space left" in text:
            return place.too_many_watches()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else text
        if isinstance(error, OSError):
            self._say(OFF, f"The library's folder can't be watched: {reason}.")
            self._stopping.wait(self._pace.again_s)
            return poll_because
        return f"The system can't tell of changes there: {reason}."

    def _identity(self) -> tuple[int, int]:
        """Raises OSError when the root is not there, or not where libraries may be."""
        descriptor = open_below(self._root, b"", os.O_RDONLY | os.O_DIRECTORY, self._roots.bounds())
        try:
            found = os.fstat(descriptor)
            return found.st_dev, found.st_ino
        finally:
            os.close(descriptor)

    def _told(self) -> Changes:
        """By inotify; at least once a tick."""
        root = os.path.realpath(os.fsdecode(self._root))
        found = watch(
            root,
            watch_filter=None,
            debounce=200,
            step=50,
            stop_event=self._stopping,
            rust_timeout=round(self._pace.tick_s * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=self._scope.include_subfolders,
            ignore_permission_denied=True,
            force_polling=False,
        )
        for changes in found:
            self._say(INOTIFY, "")
            yield [os.fsencode(os.path.relpath(path, root)) for _, path in changes if path != root]

    def _polled(self, reason: str) -> Changes:
        times, due_s = FolderTimes(self._root, self._scope), time.monotonic()
        while not self._stopping.wait(self._pace.tick_s):
            changed: list[bytes] = []
            if time.monotonic() >= due_s:
                changed = times.look(self._stopping.is_set)
                due_s = time.monotonic() + self._pace.poll_s
                self._say(POLLING, f"{reason} Folders are looked at every {self._pace.poll_s:g} s.")
            yield changed

    def _handle(self, changed: list[bytes]) -> None:
        seen = [path for path in changed if self._is_ours(path)]
        self._settling.saw(seen, time.monotonic())
        rest = self._settling.settled(time.monotonic(), lambda path: relevant.status(self._root, path))
        self._unsent.update(dict.fromkeys(relevant.hinted(self._root, path) for path in rest))
        if self._unsent and self._send(list(self._unsent)):
            self._unsent.clear()

    def _is_ours(self, path: bytes) -> bool:
        if not path:
            return True  # of a poll: the root has changed
        if not self._scope.looks_into(path.rpartition(b"/")[0]) or self._scope.excludes_file(path):
            return False
        return not self._scope.excludes_folder(path) and relevant.is_relevant(self._root, path)

    def _say(self, mode: str, reason: str) -> None:
        if (self.status.mode, self.status.reason) != (mode, reason):
            self.status = Watching(mode=mode, since=datetime.now(UTC), reason=reason)
            logger.info("Watching", root=os.fsdecode(self._root), mode=mode, reason=reason)
