"""What the outside world was told: every command sent over HTTP, under which key, and what was answered."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from uuid import UUID


@dataclass
class Entry:
    """One command. `acked`: somebody was told that it is done, or (202) that it is stored; `refused`: that it can't
    be done, and why. `ids` are the ids that answers named: more than one for one key means that it was done twice."""

    key: str
    kind: str
    library_id: UUID | None = None
    name: str | None = None
    acked: bool = False
    refused: str | None = None
    ids: set[UUID] = field(default_factory=set)
    operation: UUID | None = None
    tries: int = 0


@dataclass
class Library:
    """A library as its last acknowledged commands left it."""

    library_id: UUID
    name: str
    deleted: bool = False


@dataclass
class Ledger:
    entries: list[Entry] = field(default_factory=list)
    libraries: dict[UUID, Library] = field(default_factory=dict)
    answered_at: list[datetime] = field(default_factory=list)
    """Of final answers, in order."""

    def sent(self) -> int:
        return sum(entry.tries > 0 for entry in self.entries)

    def acked(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.acked]

    def retried(self) -> int:
        return sum(entry.tries - 1 for entry in self.entries if entry.tries > 1)

    def longest_silence(self) -> tuple[float, datetime | None]:
        """Seconds between two final answers, and when they began."""
        gaps = [((later - earlier).total_seconds(), earlier) for earlier, later in pairwise(self.answered_at)]
        return max(gaps, default=(0.0, None))
