"""Which scans began here, and which jobs were closed elsewhere: two small tables, written before they are compared, so
that of a beginning and a closing that race at least one sees the other.
"""

from uuid import UUID

from services.scanner.folders import Pool

# A claim is refused once its job is closed, so a closing matters only to an attempt that was claimed just before.
KEEP_CLOSED = "1 hour"
KEEP_BEGUN = "30 days"


class Journal:
    """On a pool whose search path is the scanner's schema."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, *, scan_id: UUID, library_id: UUID, attempt: int) -> str | None:
        """Note that the attempt begins. Why it is closed already, if it is: then it must not."""
        await self._pool.execute(
            "INSERT INTO begun_scans (scan_id, library_id, attempt) VALUES ($1, $2, $3)"
            " ON CONFLICT (scan_id) DO UPDATE SET attempt = greatest(begun_scans.attempt, excluded.attempt)",
            scan_id,
            library_id,
            attempt,
        )
        await self._pool.execute(
            "DELETE FROM begun_scans WHERE at < clock_timestamp() - $1::text::interval", KEEP_BEGUN
        )
        query = "SELECT reason FROM closed_jobs WHERE job_id = $1 AND attempt >= $2"
        reason: str | None = await self._pool.fetchval(query, scan_id, attempt)
        return reason

    async def close(self, *, job_id: UUID, attempt: int, reason: str) -> UUID | None:
        """Note that the job's attempts up to this one are closed. The library, if it is a scan that began here."""
        await self._pool.execute(
            "INSERT INTO closed_jobs (job_id, attempt, reason) VALUES ($1, $2, $3)"
            " ON CONFLICT (job_id) DO UPDATE SET (attempt, reason, at) ="
            " (excluded.attempt, excluded.reason, excluded.at) WHERE closed_jobs.attempt < excluded.attempt",
            job_id,
            attempt,
            reason,
        )
        await self._pool.execute(
            "DELETE FROM closed_jobs WHERE at < clock_timestamp() - $1::text::interval", KEEP_CLOSED
        )
        query = "SELECT library_id FROM begun_scans WHERE scan_id = $1"
        library_id: UUID | None = await self._pool.fetchval(query, job_id)
        return library_id
