"""Details leave the read models as the policy says, summaries stay, and a replay forgets the same."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.envelope import Delivered
from linstock.messages.answer import Answer
from linstock.messages.retention import RetentionApplied
from services.projection import schema
from services.projection.apply import apply
from services.projection.checksum import Checksum, checksums
from services.projection.follower import Follower
from services.projection.rebuild import verify
from services.projection.schema import Connection
from tests.integration.projection.test_following import caught_up
from tests.support.recorded import NOON, publish
from tests.support.story import Story

DAY = timedelta(days=1)


def forget(story: Story, before: datetime, *logs: str) -> Story:
    """As each owner would say it."""
    for log in story.logs():
        if not logs or log.name in logs:
            log.says(names.retention_of(log.name), RetentionApplied(before=before, days=90))
    return story


def history() -> Story:
    """Runs on the days after NOON; the second stays open, the fifth ends long after it was asked for."""
    story = Story().created().scanned(1, "a", "b").requested(2).started(2).requested(3).started(3).failed(3)
    story.scanned(4, "a").requested(5).started(5).held(5, 2)
    story.handled(story.scheduler, story.id("cancel"), "CancelJob", Answer(status=404))
    return story


async def applied(connection: Connection, deliveries: Sequence[Delivered], size: int = 1000) -> None:
    for start in range(0, len(deliveries), size):
        done = await apply(connection, deliveries[start : start + size])
        assert done.stop is None


async def column(connection: Connection, query: str) -> list[Any]:
    return [row[0] for row in await connection.fetch(query)]


async def test_what_ended_before_goes_and_what_is_open_stays(views: Connection) -> None:
    story = forget(history(), NOON + 4 * DAY)
    await applied(views, story.deliveries())
    kept = [story.run(2), story.run(4), story.run(5)]
    assert await column(views, "SELECT job_id FROM jobs ORDER BY ordinal") == kept
    assert set(await column(views, "SELECT scan_id FROM scans")) == set(kept)
    # Ordinals are what they were, and the next run's goes on from there.
    await applied(views, story.requested(6).deliveries())
    assert await column(views, "SELECT schedule_ordinal FROM jobs ORDER BY ordinal") == [2, 4, 5, 6]


async def test_summaries_stay(views: Connection) -> None:
    story = history()
    await applied(views, story.deliveries())
    tables = ("run_totals", "run_days", "contents", "content_days", "collections", "files", "schedules", "libraries")
    before = await checksums(views)
    await applied(views, forget(story, NOON + 300 * DAY).deliveries())
    after = await checksums(views)
    assert {table: before[table] for table in tables} == {table: after[table] for table in tables}
    days = await views.fetch("SELECT day, runs, successes, failures FROM run_days WHERE scope = 'default' ORDER BY day")
    assert [tuple(row) for row in days] == [
        (date(2026, 3, 2), 1, 1, 0),
        (date(2026, 3, 3), 1, 0, 0),
        (date(2026, 3, 4), 1, 0, 1),
        (date(2026, 3, 5), 1, 1, 0),
        (date(2026, 3, 6), 1, 0, 0),
    ]


async def test_counts_are_of_what_is_kept(views: Connection) -> None:
    await applied(views, forget(history(), NOON + 4 * DAY).deliveries())
    counts = await views.fetch("SELECT scope, status, sum(runs)::int FROM run_counts GROUP BY scope, status, size")
    jobs = await views.fetch(
        "SELECT scopes.scope, status, count(*) FROM jobs"
        " CROSS JOIN LATERAL (VALUES (workspace), (workspace || '/' || schedule_id), (workspace || '/' || library_id))"
        " AS scopes (scope) GROUP BY scopes.scope, status"
    )
    assert {tuple(row) for row in counts} == {tuple(row) for row in jobs}
    assert {row["status"] for row in counts} == {"Running", "Completed"}


async def test_settled_holds_and_old_receipts_go_and_waiting_holds_stay(views: Connection) -> None:
    story = history().requested(6).started(6).settled(6, held_by=5).held(6, 1)
    await applied(views, story.deliveries())
    assert len(await column(views, "SELECT command_id FROM operations")) == 2
    await applied(views, forget(story, NOON + 300 * DAY).deliveries())
    assert await column(views, "SELECT scan_id FROM holds") == [story.run(6)]
    assert await column(views, "SELECT command_id FROM operations") == []


async def test_a_log_forgets_its_own_details_only(views: Connection) -> None:
    story = forget(history(), NOON + 300 * DAY, names.SCANNER)
    await applied(views, story.deliveries())
    assert len(await column(views, "SELECT job_id FROM jobs")) == 5
    assert len(await column(views, "SELECT command_id FROM operations")) == 2
    assert await column(views, "SELECT status FROM scans") == ["Running", "Running"]


async def test_what_arrives_late_for_a_forgotten_run_changes_nothing(views: Connection) -> None:
    story = forget(history(), NOON + 300 * DAY)
    await applied(views, story.deliveries())
    before = await checksums(views)
    await applied(views, story.succeeded(3).deliveries())
    assert {table for table in before if before[table] != (await checksums(views))[table]} == {"event_hours", "events"}


def dated(story: Story) -> Story:
    """Each event of a log a day after the one before; the third's clock was a week ahead."""
    for log in story.logs():
        for index, delivered in enumerate(log.deliveries):
            at = NOON + (index + (7 if index == 2 else 0)) * DAY
            recorded = msgspec.structs.replace(delivered.recorded, time=at)
            log.deliveries[index] = msgspec.structs.replace(delivered, recorded=recorded)
    return story


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_the_feed_forgets_beginnings_of_logs_and_never_leaves_holes(views: Connection, size: int) -> None:
    story = dated(forget(history(), NOON + 2 * DAY, names.SCHEDULER).requested(6))
    await applied(views, [delivered for log in story.logs() for delivered in log.deliveries], size)
    positions = [delivered.recorded.position for delivered in story.scheduler.deliveries]
    query = "SELECT position FROM events WHERE log = 'scheduler' ORDER BY position"
    assert await column(views, query) == positions[2:]
    assert await column(views, "SELECT position FROM event_floors") == [positions[2] - 1]
    assert await column(views, "SELECT min(first_position) FROM event_hours WHERE log = 'scheduler'") == [positions[2]]
    other = "SELECT count(*) FROM events WHERE log = 'library'"
    assert await column(views, other) == [len(story.library.deliveries)]


@pytest.mark.parametrize("size", [1, 2, 7, 11])
async def test_a_replay_forgets_the_same_however_it_is_cut(database_url: str, views: Connection, size: int) -> None:
    story = forget(history(), NOON + 2 * DAY)
    forget(story.succeeded(2).succeeded(5), NOON + 3 * DAY, names.SCHEDULER)
    forget(story.scanned(6, "c").requested(7), NOON + 9 * DAY).started(7)
    await applied(views, story.deliveries())
    expected = await checksums(views)
    assert expected["jobs"].rows == 1
    assert await replayed(database_url, story.deliveries(), size) == expected
    one_after_the_other = [delivered for log in reversed(story.logs()) for delivered in log.deliveries]
    assert await replayed(database_url, one_after_the_other, size) == expected


async def replayed(database_url: str, deliveries: Sequence[Delivered], size: int) -> dict[str, Checksum]:
    connection = await schema.connect(database_url, "views_again")
    try:
        await connection.execute("DROP SCHEMA IF EXISTS views_again CASCADE")
        await schema.prepare(connection, "views_again")
        await applied(connection, deliveries, size)
        return await checksums(connection)
    finally:
        await connection.close()


async def test_a_rebuild_equals_what_was_followed_and_forgotten(
    client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    story = history()
    await publish(client, story.news())
    await caught_up(views, story)
    await publish(client, forget(story, NOON + 4 * DAY).news())
    await caught_up(views, story)
    assert len(await column(views, "SELECT job_id FROM jobs")) == 3
    comparison = await verify(database_url, client)
    assert (comparison.differing, comparison.rebuilt["jobs"].rows) == ([], 3)
