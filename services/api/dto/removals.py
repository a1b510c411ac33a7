"""What scans did not find, over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from linstock.messages.library import RemovalGuard
from services.api.dto.wire import Body, Wire, whole_number

DEFAULT = RemovalGuard()

Share = Annotated[float, whole_number(0, 100, "A share in percent")]
Amount = Annotated[float, whole_number(0, 1_000_000, "So many collections")]


class GuardBody(Body, frozen=True):
    """Up to how many collections a scan may mark missing by itself: `minAlways`, or `maxRemovedPercent` of those that
    are present, whichever is more, and never more than `maxRemoved`. What is not given is as for a new library."""

    max_removed_percent: Share = DEFAULT.max_removed_percent
    max_removed: Amount = DEFAULT.max_removed
    min_always: Amount = DEFAULT.min_always

    def told(self) -> RemovalGuard:
        return RemovalGuard(
            max_removed_percent=int(self.max_removed_percent),
            max_removed=int(self.max_removed),
            min_always=int(self.min_always),
        )


class GuardDto(Wire):
    """Up to how many collections a scan may mark missing by itself; see GuardBody."""

    max_removed_percent: int
    max_removed: int
    min_always: int


class HeldRemovalsDto(Wire):
    """A scan did not find `count` collections and asks whether they are gone. `reason`: empty_root | no_collections |
    root_moved | too_many; `message` says it in a sentence. Until somebody approves or rejects it, or a later scan finds
    them again, they stay present."""

    scan_id: UUID
    count: int
    reason: str
    message: str
    held_at: datetime
