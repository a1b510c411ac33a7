"""Where libraries may be, when the operator confines them."""

from collections.abc import Sequence
from pathlib import Path

from services.library.folders import lies_in, resolved


class AllowedRoots:
    """No roots: everywhere."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(str(root) for root in roots)

    async def refusal(self, real: str) -> str | None:
        """Why a folder (symbolic links resolved) can't be a library's: the end of a sentence. None: it can."""
        if not self._roots:
            return None
        for root in self._roots:
            if lies_in(real, await resolved(root)):
                return None
        return f"libraries are allowed below {', '.join(self._roots)} only, and this is {real}"
