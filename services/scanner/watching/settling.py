"""What was seen to change, until it has come to rest. Pure: time comes in, and what is on disk.

A folder is at rest when nothing in it was seen to change for a while, and what had changed is of the same size and time
in two looks, a moment apart: then nobody is writing there any more.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

QUIET_S = 5.0
BETWEEN_LOOKS_S = 1.0
MOST_PATHS = 200
"""Of one folder; more are the folder."""
MOST_FOLDERS = 500
"""More are the whole library."""

Status = tuple[int, int] | None
"""Size and mtime; None: not there."""


class _Stir(Struct):
    """`paths` none: the whole folder. `seen` is the last look, if nothing changed since."""

    due_s: float
    paths: set[bytes] | None
    seen: dict[bytes, Status] | None = None


class Settling:
    """Paths are relative to the root of one library."""

    def __init__(self, *, quiet_s: float = QUIET_S, between_s: float = BETWEEN_LOOKS_S) -> None:
        self._quiet_s = quiet_s
        self._between_s = between_s
        self._stirs: dict[bytes, _Stir] = {}

    def saw(self, paths: Iterable[bytes], now_s: float) -> None:
        """Something happened to each of them."""
        for path in paths:
            folder = path.rpartition(b"/")[0]
            stir = self._stirs.setdefault(folder, _Stir(now_s, set()))
            stir.due_s, stir.seen = now_s + self._quiet_s, None
            if stir.paths is not None:
                stir.paths.add(path)
                if len(stir.paths) > MOST_PATHS:
                    stir.paths = None
        if len(self._stirs) > MOST_FOLDERS:
            self._stirs = {b"": _Stir(now_s + self._quiet_s, None)}

    def settled(self, now_s: float, look: Callable[[bytes], Status]) -> list[bytes]:
        """What has come to rest, which is forgotten with this."""
        found: list[bytes] = []
        for folder, stir in list(self._stirs.items()):
            if stir.due_s > now_s:
                continue
            paths = (folder,) if stir.paths is None else sorted(stir.paths)
            seen = {path: look(path) for path in paths}
            if stir.seen == seen:
                del self._stirs[folder]
                found += paths
            else:
                stir.seen, stir.due_s = seen, now_s + self._between_s
        return found
