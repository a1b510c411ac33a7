"""What hints of one library wait for. Pure: the log and the clock are elsewhere.

They wait for a quiet moment: until nobody has said anything for a while, or somebody has waited long enough.
"""

from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from linstock.messages.hints import HintEvent, HintPaths, HintsReceived, HintsTaken
from linstock.messages.library import DEFAULT_EXTENSIONS
from linstock.messages.message import Message
from linstock.messages.schedule import ScanPath

MOST_PATHS = 1000
MOST_FOLDERS = 100
"""What names more than this, or more paths, is a hint at the whole library."""


class Patience(Struct, frozen=True, kw_only=True):
    """`quiet` after the last hint, and at most `longest` after the first."""

    quiet: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(seconds=30)


class Quiet(Message, frozen=True, tag="quiet"):
    """Nothing is waiting."""


class Hinted(Message, frozen=True, tag="hinted"):
    """No `paths`: the whole library."""

    library_id: UUID
    paths: tuple[ScanPath, ...]
    first_at: datetime
    last_at: datetime

    def due(self, patience: Patience) -> datetime:
        return min(self.last_at + patience.quiet, self.first_at + patience.longest)


Hints = Quiet | Hinted


class TakeHints(Message, frozen=True, tag="TakeHints"):
    """`job_id`: the scan that is asked for in the same append."""

    job_id: UUID | None
    at: datetime


class ReceiveHints(Message, frozen=True, tag="ReceiveHints"):
    hint: HintPaths
    at: datetime


def initial() -> Hints:
    return Quiet()


def evolve(hints: Hints, event: HintEvent) -> Hints:
    match event:
        case HintsReceived(library_id=library_id, paths=paths, at=at):
            if isinstance(hints, Quiet):
                return Hinted(library_id=library_id, paths=_bounded(paths), first_at=at, last_at=at)
            together = _bounded((*hints.paths, *paths)) if hints.paths else ()
            return Hinted(
                library_id=library_id, paths=together, first_at=hints.first_at, last_at=max(at, hints.last_at)
            )
        case HintsTaken():
            return Quiet()
        case _:
            assert_never(event)


def decide(command: ReceiveHints | TakeHints, hints: Hints) -> list[HintEvent]:
    match command:
        case ReceiveHints(hint=hint, at=at):
            paths = tuple(dict.fromkeys(hint.paths))
            if isinstance(hints, Hinted):
                known = set(hints.paths)
                paths = tuple(path for path in paths if path not in known) if hints.paths else ()
            return [HintsReceived(library_id=hint.library_id, paths=paths, at=at)]
        case TakeHints(job_id=job_id, at=at):
            if isinstance(hints, Quiet):
                return []
            return [HintsTaken(library_id=hints.library_id, job_id=job_id, at=at)]
        case _:
            assert_never(command)


def _bounded(paths: tuple[ScanPath, ...]) -> tuple[ScanPath, ...]:
    """As they are, or none, which is all, if they are many or one of them is the library's own folder."""
    if len(paths) > MOST_PATHS or len({_folder(path) for path in paths}) > MOST_FOLDERS:
        return ()
    return () if any(not path.path and not path.path_bytes for path in paths) else paths


def _folder(path: ScanPath) -> bytes:
    """What a scan would look at because of it, as far as a name tells."""
    raw = path.path.encode() if path.path_bytes is None else path.path_bytes
    return raw.rpartition(b"/")[0] if raw.lower().endswith(_SUFFIXES) else raw


_SUFFIXES = tuple(extension.encode() for extension in DEFAULT_EXTENSIONS)
