"""Whether a scan may mark missing by itself what it did not find. Pure.

Content that is not there looks the same whether it was deleted or its disk is away. A mistake costs nothing that can't
be undone, but a library that is suddenly empty costs trust: in doubt somebody is asked.
"""

from msgspec import Struct

from linstock.messages.library import RemovalGuard

EMPTY_ROOT = "empty_root"
NO_COLLECTIONS = "no_collections"
ROOT_MOVED = "root_moved"
TOO_MANY = "too_many"


class Sight(Struct, frozen=True, kw_only=True):
    """What a scan saw of what it looked for. `present`: collections that were there before, where it looked; `absent`
    of them are not there now. `root_entries` counts whatever the root holds, `found` the collections seen."""

    present: int
    absent: int
    root_entries: int
    found: int
    same_file_system: bool


class Doubt(Struct, frozen=True):
    """Why somebody is asked: a code, and a sentence."""

    reason: str
    message: str


def doubt(sight: Sight, guard: RemovalGuard) -> Doubt | None:
    """None: what is absent may be marked missing at once."""
    if not sight.absent:
        return None
    gone = _counted(sight.absent)
    if not sight.root_entries:
        return Doubt(EMPTY_ROOT, f"The library's folder is empty; {gone} known.")
    if not sight.found:
        return Doubt(NO_COLLECTIONS, f"The library's folder holds no collection; {gone} known.")
    if not sight.same_file_system:
        return Doubt(
            ROOT_MOVED, f"The library's folder is on another file system than before, without {sight.absent} of them."
        )
    if sight.absent > (limit := allowed(sight.present, guard)):
        return Doubt(
            TOO_MANY, f"{sight.absent} of {sight.present} collections are not there; up to {limit} may go unasked."
        )
    return None


def allowed(present: int, guard: RemovalGuard) -> int:
    """How many of `present` collections may go without a question."""
    share = present * guard.max_removed_percent // 100
    return min(max(guard.min_always, share), guard.max_removed)


def _counted(count: int) -> str:
    return "1 collection was" if count == 1 else f"{count} collections were"
