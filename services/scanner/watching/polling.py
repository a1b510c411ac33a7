"""Notices changed folders by their mtimes. Blocks.

A look costs one stat per folder; a folder is listed only when its mtime has changed. A file that is written in place
does not show in it: the schedule finds that.
"""

import os
from collections.abc import Callable, Iterator

from services.scanner.opening import below
from services.scanner.scope import Scope

MOST_FOLDERS = 200_000
"""Beyond, the rest is left to the schedule."""


class FolderTimes:
    """Of one library. The first look only learns."""

    def __init__(self, root: bytes, scope: Scope) -> None:
        self._root = root
        self._scope = scope
        self._times: dict[bytes, int] = {}
        self._below: dict[bytes, list[bytes]] = {}
        self._learned = False

    def look(self, stopping: Callable[[], bool]) -> list[bytes]:
        """The folders that have changed since the last look, or are gone."""
        times, changed = dict[bytes, int](), list[bytes]()
        for path, time_ns in self._walk(stopping):
            times[path] = time_ns
            if self._times.get(path) != time_ns:
                changed.append(path)
        if stopping():
            return []
        changed += self._times.keys() - times.keys()
        self._below = {path: self._below[path] for path in times}
        self._times, learned, self._learned = times, self._learned, True
        return sorted(changed) if learned else []

    def _walk(self, stopping: Callable[[], bool]) -> Iterator[tuple[bytes, int]]:
        waiting, found = [b""], 0
        while waiting and found < MOST_FOLDERS and not stopping():
            path = waiting.pop()
            try:
                time_ns = os.stat(below(self._root, path) if path else self._root, follow_symlinks=not path).st_mtime_ns  # noqa: PTH116
                if self._times.get(path) != time_ns:
                    self._below[path] = self._subfolders(path)
            except OSError:
                continue
            found += 1
            yield path, time_ns
            waiting += self._below[path]

    def _subfolders(self, path: bytes) -> list[bytes]:
        if not self._scope.include_subfolders:
            return []
        with os.scandir(below(self._root, path) if path else self._root) as entries:
            found = [below(path, entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
        return [folder for folder in found if not self._scope.excludes_folder(folder)]
