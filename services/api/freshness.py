"""Read your writes: a request that names positions waits until the read models reflect them."""

import asyncio
import re
from collections.abc import Mapping

import asyncpg

from services.api.problems import Problem

HEADER = "Linstock-Position"
STALE = "Linstock-Stale"
LONGEST_WAIT_S = 2.0
LOOK_EVERY_S = 0.002

VECTOR = r"[a-z][a-z0-9-]{0,63}:[0-9]{1,18}(, *[a-z][a-z0-9-]{0,63}:[0-9]{1,18}){0,31}"
_VECTOR = re.compile(VECTOR)


class Freshness:
    """Looks at the positions only while somebody waits, and then once for everybody."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._look: asyncio.Task[dict[str, int]] | None = None

    async def reached(self, wanted: Mapping[str, int], *, within_s: float = LONGEST_WAIT_S) -> bool:
        """True once every log in `wanted` is projected that far; False after `within_s`. Raises as asyncpg does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while not _covers(await self._positions(), wanted):
            if loop.time() >= until:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    async def _positions(self) -> dict[str, int]:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._read())
        return await asyncio.shield(self._look)

    async def _read(self) -> dict[str, int]:
        rows = await self._pool.fetch("SELECT log, position FROM positions")
        return {row["log"]: row["position"] for row in rows}


def _covers(positions: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    return all(positions.get(log, 0) >= position for log, position in wanted.items())


def parse(vector: str) -> dict[str, int]:
    """`library:12,scheduler:900`. Raises Problem 400."""
    if not _VECTOR.fullmatch(vector.strip()):
        raise Problem(400, "malformed-position", f"{HEADER} looks like library:12,scheduler:900.")
    pairs = (pair.strip().partition(":") for pair in vector.split(","))
    return {log: int(position) for log, _, position in pairs}
