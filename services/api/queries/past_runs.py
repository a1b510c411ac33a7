"""When the runs of a schedule went on."""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.api.replay import Run

MOST = 5_000


async def since(pool: asyncpg.Pool, workspace: str, schedule_id: UUID, moment: datetime) -> list[Run]:
    """Those that ended at or after `moment`, in the order they began; the latest 5,000 of them."""
    rows = await pool.fetch(
        "SELECT started_at, ended_at FROM jobs WHERE schedule_id = $1 AND workspace = $2 AND ended_at >= $3"
        " AND started_at IS NOT NULL ORDER BY schedule_ordinal DESC LIMIT $4",
        schedule_id,
        workspace,
        moment,
        MOST,
    )
    return sorted((Run(row["started_at"], row["ended_at"]) for row in rows), key=lambda run: run.started_at)
