"""What each view forgets when its log says that details before a time may go. The one place to add to.

A statement takes the time ($1) and the log ($2), and touches rows of that log alone. What has not ended is never
forgotten; summaries (run_totals, run_days, contents, content_days) and schedule_versions stay. The rows that are left
depend on the log only: they must not depend on where its events were cut into batches, so `cut` ends a batch at each
such event.
"""

from collections.abc import Iterator, Sequence

from linstock import names
from linstock.messages.job import APART
from linstock.messages.retention import RetentionApplied
from services.projection.fact import Fact
from services.projection.schema import Connection
from services.projection.views.feed import HOUR_S
from services.projection.views.run_counts import SIZES

LONGEST_S = 3600.0
"""Somebody who shortens the policy after years has millions of rows deleted at once."""

_OPERATIONS = "DELETE FROM operations WHERE handled_at < $1 AND log = $2"
_SCANS = "DELETE FROM scans WHERE ended_at < $1 AND log = $2"
_CHANGES = "DELETE FROM scan_changes WHERE at < $1 AND log = $2"
_HOLDS = "DELETE FROM holds WHERE settled_at < $1 AND log = $2"
# Runs that are forgotten are no longer counted as kept.
_JOBS = f"""
WITH forgotten AS (
    DELETE FROM jobs WHERE ended_at < $1 AND $2::text = '{names.SCHEDULER}'
    RETURNING workspace || CASE WHEN job_type IN {APART} THEN '/' || job_type ELSE '' END AS workspace, schedule_id,
        library_id, status, triggered_by, ordinal, schedule_ordinal, library_ordinal
), numbered AS (
    SELECT workspace AS scope, ordinal, status, triggered_by FROM forgotten
    UNION ALL
    SELECT workspace || '/' || schedule_id, schedule_ordinal, status, triggered_by
    FROM forgotten WHERE schedule_id IS NOT NULL
    UNION ALL
    SELECT workspace || '/' || library_id, library_ordinal, status, triggered_by
    FROM forgotten WHERE library_id IS NOT NULL
), counted AS (
    SELECT scope, size, (ordinal / size + 1) * size AS below, status, triggered_by, count(*) AS runs
    FROM numbered CROSS JOIN unnest('{{{", ".join(map(str, SIZES))}}}'::bigint[]) AS sizes (size)
    GROUP BY scope, size, below, status, triggered_by
)
UPDATE run_counts k SET runs = k.runs - c.runs FROM counted c
WHERE (k.scope, k.size, k.below, k.status, k.triggered_by) = (c.scope, c.size, c.below, c.status, c.triggered_by)
"""  # noqa: S608  # our own constants
_APP_JOBS = f"""
WITH forgotten AS (
    DELETE FROM app_jobs WHERE ended_at < $1 AND $2::text = '{names.SCHEDULER}'
    RETURNING workspace, job_type, queue, status
), counted AS (
    SELECT workspace, job_type, queue, status, count(*) AS jobs FROM forgotten GROUP BY 1, 2, 3, 4
)
UPDATE app_job_counts k SET jobs = k.jobs - c.jobs FROM counted c
WHERE (k.workspace, k.job_type, k.queue, k.status) = (c.workspace, c.job_type, c.queue, c.status)
"""  # noqa: S608  # our own constants
_APP_JOB_COUNTS = (
    f"DELETE FROM app_job_counts WHERE jobs = 0 AND $1::timestamptz IS NOT NULL AND $2::text = '{names.SCHEDULER}'"  # noqa: S608
)
_COUNTS = f"DELETE FROM run_counts WHERE runs = 0 AND $1::timestamptz IS NOT NULL AND $2::text = '{names.SCHEDULER}'"  # noqa: S608
# An instant is forgotten by when it was due, also when that was decided long after; of a range, by its last one.
_TICKS = f"DELETE FROM ticks WHERE last < $1 AND $2::text = '{names.SCHEDULER}'"  # noqa: S608
# A backfill by when somebody asked for it: its instants may be older than anything that is kept.
_BACKFILLS = f"DELETE FROM backfills WHERE backfilled_at < $1 AND $2::text = '{names.SCHEDULER}'"  # noqa: S608

# Of the feed goes what stands before the first event of an hour that stays: always a log's beginning, never a hole.
_FLOOR = f"""
INSERT INTO event_floors AS known (log, position)
SELECT $2::text, min(first_position) - 1 FROM event_hours
WHERE log = $2 AND hour >= floor(extract(epoch FROM $1::timestamptz) / {HOUR_S})
HAVING count(*) > 0
ON CONFLICT (log) DO UPDATE SET position = greatest(known.position, excluded.position)
"""  # noqa: S608
_BEFORE_FLOOR = "(SELECT position FROM event_floors WHERE log = $2) AND $1::timestamptz IS NOT NULL"
_EVENTS = f"DELETE FROM events WHERE log = $2 AND position <= {_BEFORE_FLOOR}"  # noqa: S608
_HOURS = f"DELETE FROM event_hours WHERE log = $2 AND last_position <= {_BEFORE_FLOOR}"  # noqa: S608

STATEMENTS = (
    _OPERATIONS,
    _SCANS,
    _CHANGES,
    _HOLDS,
    _JOBS,
    _COUNTS,
    _APP_JOBS,
    _APP_JOB_COUNTS,
    _TICKS,
    _BACKFILLS,
    _FLOOR,
    _EVENTS,
    _HOURS,
)


async def forget(connection: Connection, fact: Fact) -> None:
    """Does what a RetentionApplied says, once the rows reflect everything before it; other facts do nothing."""
    match fact.event:
        case RetentionApplied(before=before):
            for statement in STATEMENTS:
                await connection.execute(statement, before, fact.log, timeout=LONGEST_S)
        case _:
            return


def cut(facts: Sequence[Fact]) -> Iterator[Sequence[Fact]]:
    """In order, each part ending with a RetentionApplied or with the last fact."""
    start = 0
    for end, fact in enumerate(facts, 1):
        if isinstance(fact.event, RetentionApplied) or end == len(facts):
            yield facts[start:end]
            start = end
