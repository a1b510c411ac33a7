"""Read models with a long history, as the projection would have made them, written without the events.

Runs are numbered, counted and summed up as the folds do it; what the counters say is computed here from the rows.
Indexes are made after the rows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from msgspec import Struct

from linstock import names
from services.projection import schema, tables
from services.projection.schema import Connection
from services.projection.views.run_counts import SIZES

LIBRARIES = 20
COLLECTIONS = 100_000
RUNS = 1_000_000
YEAR_OF_RUNS = 365 * 24 * 3600 // 2
KEPT_RUNS = 90 * 24 * 3600 // 2

_OUTCOMES = """
    CASE WHEN n % 1000 < 960 THEN 'Completed' WHEN n % 1000 < 990 THEN 'Failed' WHEN n % 1000 < 995 THEN 'Timeout'
        ELSE 'Cancelled' END
"""
_TRIGGERS = "CASE WHEN n % 200 = 7 THEN 'Manual' WHEN n % 200 = 9 THEN 'API' ELSE 'Scheduler' END"
_COUNTS = '{"collections":40,"images":400,"sizeBytes":1,"folders":41,"files":400,"added":0,"unchanged":40}'


class Place(Struct, frozen=True):
    """A library and its own schedule."""

    library_id: UUID
    schedule_id: UUID


async def prepare(database_url: str) -> Connection:
    """Empty read models; nothing here waits for the disk."""
    connection = await schema.connect(database_url)
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
    await schema.prepare(connection)
    await connection.execute("INSERT INTO shape (version) VALUES ($1)", tables.SHAPE)
    return connection


async def lists(connection: Connection) -> list[Place]:
    """LIBRARIES libraries with COLLECTIONS collections and RUNS runs in all, one a minute until now."""
    places = [await _place(connection, f"Library {number:02}", "*/20 * * * *") for number in range(LIBRARIES)]
    async with _bare(connection, "collections", "jobs", "scans"):
        await _collections(connection, places)
        await _runs(connection, places, first=1, last=RUNS, before=0, interval_s=60)
    await _sum_up(connection)
    return places


async def year(connection: Connection) -> Place:
    """One more library, whose schedule fired every 2 s for a year; 90 days of it are kept."""
    place = await _place(connection, "Every 2 s", "*/2 * * * * *")
    first = YEAR_OF_RUNS - KEPT_RUNS + 1
    async with _bare(connection, "jobs", "scans"):
        await _runs(connection, [place], first=first, last=YEAR_OF_RUNS, before=RUNS, interval_s=2)
    await _sum_up(connection)
    return place


async def _place(connection: Connection, name: str, expression: str) -> Place:
    library_id = uuid4()
    place = Place(library_id, names.schedule_of(library_id))
    await connection.execute(
        "INSERT INTO libraries (library_id, workspace, name, path, description, auto_scan, cron_expression, time_zone,"
        " version, created_at, updated_at) VALUES ($1, 'default', $2, '/data/' || $2, '', true, $3, 'UTC', 1, now(),"
        " now())",
        place.library_id, name, expression,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO schedules (schedule_id, workspace, name, description, job_type, library_id, expression, zone,"
        " enabled, cursor, priority, timeout_s, max_retries, created_at, updated_at)"
        " VALUES ($1, 'default', $2, '', 'LibraryScan', $3, $4, 'UTC', true, now(), 5, 3600, 3, now(), now())",
        place.schedule_id, name, place.library_id, expression,
    )  # fmt: skip
    return place


async def _collections(connection: Connection, places: list[Place]) -> None:
    await connection.execute(
        f"""
        INSERT INTO collections (collection_id, workspace, library_id, path, name, kind, image_count, size_bytes,
            digest, state, scan_id, recorded_at, folded)
        SELECT gen_random_uuid(), 'default', libraries[1 + n % {LIBRARIES}], path, split_part(path, '/', 3),
            CASE WHEN n % 5 = 0 THEN 'archive' ELSE 'folder' END, n % 500, (n * 7919 % 1000003) * 1000, md5(path),
            'present', gen_random_uuid(), now() - n * interval '1 minute', lower(path)
        FROM (SELECT n, 'Year ' || (2000 + n % 25) || '/Month ' || (n % 12) || '/Trip ' || md5(n::text) AS path,
            $1::uuid[] AS libraries FROM generate_series(1, {COLLECTIONS}) AS n) AS made
        """,
        [place.library_id for place in places],
        timeout=600,
    )
    await connection.execute(
        """
        INSERT INTO contents SELECT library_id, workspace, state, kind, count(*), sum(image_count), sum(size_bytes)
        FROM collections GROUP BY library_id, workspace, state, kind;
        INSERT INTO content_days SELECT library_id, workspace, (recorded_at AT TIME ZONE 'UTC')::date, count(*),
            sum(image_count), sum(size_bytes)
        FROM collections GROUP BY library_id, workspace, (recorded_at AT TIME ZONE 'UTC')::date
        """
    )


async def _runs(
    connection: Connection, places: list[Place], *, first: int, last: int, before: int, interval_s: int
) -> None:
    """The runs `first` to `last` of these places, who take turns; `before` runs of others came before the first."""
    await connection.execute(
        f"""
        INSERT INTO jobs (job_id, workspace, job_type, queue, schedule_id, library_id, library_name, library_path,
            instant, triggered_by, requested_at, priority, timeout_s, max_retries, status, attempt, worker, started_at,
            attempt_started_at, ended_at, message, ordinal, schedule_ordinal, library_ordinal, scan_mode, requested_by)
        SELECT gen_random_uuid(), 'default', 'LibraryScan', 'library-scan', schedules[place], libraries[place],
            'Library', '/data/library', at, {_TRIGGERS}, at, 5, 3600, 3, {_OUTCOMES}, 1, 'library-scan-bench-1', at, at,
            at + interval '1 second', CASE WHEN n % 1000 >= 960 THEN 'There is no folder at /data/library' END,
            n + $3, (n - 1) / $4 + 1, (n - 1) / $4 + 1, 'changed', 'scheduler'
        FROM (
            SELECT n, 1 + n % $4 AS place, $1::uuid[] AS schedules, $2::uuid[] AS libraries,
                now() - ({last} - n) * interval '{interval_s} seconds' AS at
            FROM generate_series({first}, {last}) AS n
        ) AS made
        """,
        [place.schedule_id for place in places],
        [place.library_id for place in places],
        before,
        len(places),
        timeout=1800,
    )  # fmt: skip
    await connection.execute(
        f"""
        INSERT INTO scans (scan_id, workspace, library_id, attempt, status, root, worker, started_at, ended_at,
            duration_ms, held, counts, report)
        SELECT job_id, workspace, library_id, 1, status, library_path, worker, started_at, ended_at, 900, 0,
            '{_COUNTS}', '[]' FROM jobs WHERE ordinal >= {first + before}
        """,
        timeout=1800,
    )


async def _sum_up(connection: Connection) -> None:
    """What the counters of runs say, from the runs; those that are forgotten are in the totals still."""
    await connection.execute(
        f"""
        TRUNCATE run_counts, run_days, run_totals;
        CREATE TEMP TABLE scoped AS
            SELECT workspace AS scope, ordinal, job_id, status, triggered_by, requested_at, ended_at FROM jobs
            UNION ALL SELECT workspace || '/' || schedule_id, schedule_ordinal, job_id, status, triggered_by,
                requested_at, ended_at FROM jobs
            UNION ALL SELECT workspace || '/' || library_id, library_ordinal, job_id, status, triggered_by,
                requested_at, ended_at FROM jobs;
        INSERT INTO run_counts
            SELECT scope, size, (ordinal / size + 1) * size, status, triggered_by, count(*)
            FROM scoped CROSS JOIN unnest('{{{", ".join(map(str, SIZES))}}}'::bigint[]) AS sizes (size)
            GROUP BY 1, 2, 3, 4, 5;
        INSERT INTO run_days SELECT scope, (requested_at AT TIME ZONE 'UTC')::date, count(*),
            count(*) FILTER (WHERE status = 'Completed'), count(*) FILTER (WHERE status IN ('Failed', 'Timeout'))
            FROM scoped GROUP BY 1, 2;
        INSERT INTO run_totals (scope, run_count, success_count, failure_count, last_run_at, last_run_status,
                last_run_duration_ms)
            SELECT scope, max(ordinal), count(*) FILTER (WHERE status = 'Completed'),
            count(*) FILTER (WHERE status IN ('Failed', 'Timeout')), max(requested_at), 'Completed', 1000
            FROM scoped GROUP BY 1;
        DROP TABLE scoped
        """,
        timeout=1800,
    )  # fmt: skip


@asynccontextmanager
async def _bare(connection: Connection, *wanted: str) -> AsyncIterator[None]:
    """These tables without their indexes, and then with them again, vacuumed and analysed."""
    dropped = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = ANY($2)"
        " AND indexname NOT LIKE '%_pkey'",
        schema.VIEWS,
        list(wanted),
    )
    for index in dropped:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    yield
    for index in dropped:
        await connection.execute(index["indexdef"], timeout=1800)
    await connection.execute("VACUUM ANALYZE", timeout=1800)
