"""The ledger in a real Postgres: followed, cut anywhere, replayed and forgotten, its rows are the same."""

from datetime import timedelta

import pytest
from nats.aio.client import Client

from linstock import names
from linstock.messages.schedule import ScheduleDeleted
from services.projection.checksum import checksums
from services.projection.follower import Follower
from services.projection.rebuild import verify
from services.projection.schema import Connection
from tests.integration.projection.test_following import caught_up
from tests.integration.projection.test_forgetting import DAY, applied, column, forget, replayed
from tests.support.recorded import NOON, publish
from tests.support.story import Story

TABLES = ("ticks", "backfills", "schedule_versions", "schedules")


def history() -> Story:
    """Of two schedules: fired, missed, held up, edited, deleted and back."""
    story = Story().created().fired(NOON + DAY, 1).fired(NOON + 2 * DAY, 2, "late")
    other = Story(beside=story).created().fired(NOON + DAY, 1)
    story.skipped(NOON + 3 * DAY, NOON + 6 * DAY, 4, "misfire").fired(NOON + 7 * DAY, 3, "caught_up", missed=4)
    story.retimed(2, "0 4 * * *", after=NOON + 7 * DAY).retimed(2, "0 4 * * *", after=NOON + 7 * DAY)
    story.skipped(NOON + 8 * DAY, NOON + 8 * DAY, 1, "overlap", busy=story.run(3), version=2)
    story.scheduler.says(
        other.schedule_id, ScheduleDeleted(schedule_id=other.schedule_id, library_version=1, reason="asked")
    )
    other.created()
    story.backfilled(NOON - DAY, NOON + 3 * DAY, NOON + 5 * DAY).backfilled(NOON + 8 * DAY, version=2)
    return story.fired(NOON + 9 * DAY, 4, version=2)


async def test_rows_are_what_the_events_say(
    client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    story = history()
    await publish(client, story.news())
    await caught_up(views, story)
    rows = await views.fetch(
        "SELECT ordinal, verdict, reason, instants, missed_count, version FROM ticks"
        " WHERE schedule_id = $1 ORDER BY ordinal",
        story.schedule_id,
    )
    assert [tuple(row) for row in rows] == [
        (1, "fired", None, 1, 0, 1),
        (2, "late", None, 1, 0, 1),
        (3, "skipped", "misfire", 4, 0, 1),
        (4, "caught_up", None, 1, 4, 1),
        (5, "skipped", "overlap", 1, 0, 2),
        (6, "fired", None, 1, 0, 2),
    ]
    assert await column(views, "SELECT version FROM schedule_versions ORDER BY made_at, version") == [1, 1, 2, 2]
    assert await column(views, "SELECT version FROM schedule_versions WHERE deleted_at IS NOT NULL") == [1]
    assert await views.fetchval("SELECT busy_id FROM ticks WHERE reason = 'overlap'") == story.run(3)
    await publish(client, story.deliveries())  # again, as a refill would
    await publish(client, story.fired(NOON + 10 * DAY, 5, version=2).news())
    await caught_up(views, story)
    assert await views.fetchval("SELECT max(ordinal) FROM ticks WHERE schedule_id = $1", story.schedule_id) == 7
    comparison = await verify(database_url, client)
    assert (comparison.differing, comparison.rebuilt["ticks"].rows) == ([], 8)


@pytest.mark.parametrize("size", [1, 3, 250])
async def test_a_replay_cut_anywhere_gives_the_same_rows(database_url: str, views: Connection, size: int) -> None:
    """Also where so many come together that they are copied."""
    story = history()
    for minute in range(600):
        story.fired(NOON + 10 * DAY + timedelta(minutes=minute), 10 + minute, version=2)
    forget(story, NOON + 10 * DAY + timedelta(minutes=200), names.SCHEDULER).fired(NOON + 20 * DAY, 1000, version=2)
    await applied(views, story.deliveries())
    expected = await checksums(views)
    assert (expected["ticks"].rows, expected["schedule_versions"].rows) == (401, 4)
    again = await replayed(database_url, story.deliveries(), size)
    assert {table: again[table] for table in TABLES} == {table: expected[table] for table in TABLES}


async def test_what_was_due_before_is_forgotten_from_the_beginning_and_versions_stay(views: Connection) -> None:
    story = forget(history(), NOON + 5 * DAY)
    await applied(views, story.deliveries())
    mine = f"SELECT ordinal FROM ticks WHERE schedule_id = '{story.schedule_id}' ORDER BY ordinal"
    assert await column(views, mine) == [3, 4, 5, 6]  # the range of the third ends on the sixth day
    assert len(await column(views, "SELECT version FROM schedule_versions")) == 4
    await applied(views, story.fired(NOON + 10 * DAY, 5, version=2).deliveries())
    assert (await column(views, mine))[-1] == 7


async def test_a_backfill_is_forgotten_by_when_it_was_asked_for(views: Connection) -> None:
    story = history()
    await applied(views, story.deliveries())
    rows = await views.fetch("SELECT instant, job_id, version, backfilled_at, backfilled_by FROM backfills ORDER BY 1")
    assert [row["instant"] for row in rows] == [NOON - DAY, NOON + 3 * DAY, NOON + 5 * DAY, NOON + 8 * DAY]
    assert [(row["backfilled_by"], row["version"]) for row in rows] == [("ann", 1), ("ann", 1), ("ann", 1), ("ann", 2)]
    for row in rows:
        assert row["job_id"] == names.job_of_tick(story.schedule_id, row["instant"].isoformat())
    # It is no edit, and no tick: what the schedule counts goes on as if nothing was.
    counted = "SELECT (edition, tick_count) FROM schedules WHERE schedule_id = $1"
    assert await views.fetchval(counted, story.schedule_id) == (3, 6)
    asked = max(row["backfilled_at"] for row in rows)
    await applied(views, forget(story, min(row["backfilled_at"] for row in rows)).news())
    assert len(await column(views, "SELECT instant FROM backfills")) == 4
    await applied(views, forget(story, asked + timedelta(days=1)).news())
    assert await column(views, "SELECT instant FROM backfills") == []


async def test_another_logs_policy_touches_no_tick(views: Connection) -> None:
    story = forget(history(), NOON + 300 * DAY, names.SCANNER, names.LIBRARY)
    await applied(views, story.deliveries())
    assert len(await column(views, "SELECT ordinal FROM ticks")) == 7
