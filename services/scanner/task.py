"""What one scan is to look at, and how. Pure."""

from hashlib import blake2b
from uuid import UUID

from msgspec import Struct

from linstock.roots import ANYWHERE, Bounds
from services.scanner.reach import EVERYWHERE, Reach
from services.scanner.remembered import SHAPE
from services.scanner.scope import Scope

QUICK, CHANGED, DEEP, VERIFY = "quick", "changed", "deep", "verify"


class Task(Struct, frozen=True, kw_only=True):
    """`mode` is quick | changed | deep | verify. `bounds`: nothing outside is read. `reach`: nothing else is looked at.
    `dry_run`: nothing is kept."""

    library_id: UUID
    root: bytes
    scope: Scope
    mode: str = CHANGED
    bounds: Bounds = ANYWHERE
    reach: Reach = EVERYWHERE
    dry_run: bool = False

    @property
    def deep(self) -> bool:
        return self.mode == DEEP

    def look(self) -> str:
        """All that a folder's row depends on besides the folder."""
        return blake2b(repr((SHAPE, self.root, self.scope.text, self.bounds)).encode(), digest_size=16).hexdigest()
