"""When nobody was there to fire a schedule, as its ledger tells."""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.api.absences import Absence

MOST = 100_000

# Of a schedule that ticks each second only the latest rows are looked at: the rest would take seconds.
_MISSED = """
    SELECT first, decided_at FROM ticks
    WHERE schedule_id = $1 AND workspace = $2 AND last >= $3 AND (reason = 'misfire' OR verdict = 'caught_up')
        AND ordinal > (SELECT tick_count FROM schedules WHERE schedule_id = $1) - $4
    ORDER BY ordinal
"""


async def since(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, moment: datetime) -> list[Absence]:
    """Of those whose last missed instant is not earlier than `moment`, in order; none overlaps another."""
    rows = await pool.fetch(_MISSED, schedule_id, workspace, moment, MOST)
    found = list[Absence]()
    for row in rows:
        if found and row["first"] <= found[-1].until:
            found[-1] = Absence(found[-1].since, max(found[-1].until, row["decided_at"]))
        else:
            found.append(Absence(row["first"], row["decided_at"]))
    return found
