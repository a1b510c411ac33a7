"""Rows follow events: through duplicates, gaps, poison, lost consumers, lost streams and lost processes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog.testing
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from prometheus_client import REGISTRY

from linstock import names
from linstock.bus.provision import provision_on
from linstock.messages.job import JobFailed
from services.projection import store
from services.projection.checksum import checksums
from services.projection.follower import Follower
from services.projection.schema import Connection
from tests.support.recorded import NOON, publish
from tests.support.story import Story
from tests.support.waiting import becomes


async def reached(views: Connection) -> dict[str, int]:
    return {log: stands.position for log, stands in (await store.positions(views, lock=False)).items()}


async def row(views: Connection, query: str) -> asyncpg.Record:
    found = await views.fetchrow(query)
    assert found is not None
    return found


async def caught_up(views: Connection, story: Story) -> None:
    await becomes(lambda: reached(views), positions(story))


async def test_a_tick_becomes_a_scan_becomes_rows(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    story.created().scanned(1, "holiday", "holiday/best.zip")
    await publish(client, story.news())
    await caught_up(views, story)

    library = await row(views, "SELECT * FROM libraries")
    assert (library["name"], library["auto_scan"], library["deleted_at"]) == ("Pictures", True, None)
    job = await row(views, "SELECT * FROM jobs")
    assert (job["status"], job["attempt"], job["schedule_id"]) == ("Completed", 1, story.schedule_id)
    assert job["ended_at"] - job["started_at"] == timedelta(seconds=2)
    scan = await row(views, "SELECT * FROM scans")
    assert (scan["status"], scan["duration_ms"], scan["held"]) == ("Completed", 1500, 0)
    assert msgspec.json.decode(scan["counts"])["collections"] == 2
    collections = await views.fetch("SELECT path, kind, image_count, state FROM collections ORDER BY path")
    assert [tuple(row) for row in collections] == [
        ("holiday", "folder", 2, "present"),
        ("holiday/best.zip", "archive", 2, "present"),
    ]
    assert await views.fetchval("SELECT sum(file_count) FROM files") == 4
    totals = await row(views, "SELECT * FROM run_totals WHERE scope = 'default'")
    assert (totals["run_count"], totals["success_count"], totals["last_run_status"]) == (1, 1, "Completed")
    operation = await row(views, "SELECT * FROM operations")
    assert (operation["command_id"], operation["outcome"]) == (story.id("create"), "done")
    assert follower.problem is None


async def test_a_delivery_that_comes_again_changes_nothing(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    await publish(client, story.created().scanned(1, "a", "b").news())
    await caught_up(views, story)
    before = await checksums(views)

    await publish(client, story.deliveries())  # as a refill of a lost stream would
    await publish(client, story.paused().news())
    await caught_up(views, story)

    after = await checksums(views)
    assert [table for table in before if before[table] != after[table]] == ["event_hours", "events", "schedules"]
    assert after["events"].rows == before["events"].rows + 1


async def test_a_gap_stops_the_rows_and_says_so_until_the_chain_is_whole_again(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    first, second, third, *_ = story.created().paused().resumed().scheduler.deliveries
    await publish(client, [first, third])
    await becomes(lambda: "has a gap" in (follower.problem or ""), True)
    assert await reached(views) == {names.SCHEDULER: first.recorded.position}

    await client.jetstream().delete_stream(names.EVENTS)
    await provision_on(client)
    await publish(client, [first, second, third])
    await becomes(lambda: reached(views), {names.SCHEDULER: third.recorded.position})
    await becomes(lambda: follower.problem, None)


async def test_a_poison_event_stops_the_rows_right_before_it(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    good, bad = story.created().scheduler.deliveries[0], story.paused().scheduler.deliveries[1]
    unknown = msgspec.structs.replace(bad.recorded, type="linstock.schedule.dreamt.v1")
    await publish(client, [good, msgspec.structs.replace(bad, recorded=unknown)])
    await publish(client, story.library.deliveries)

    await becomes(lambda: "can't be projected" in (follower.problem or ""), True)
    assert await reached(views) == {names.SCHEDULER: good.recorded.position}
    assert metric("linstock_projection_stopped") == 1


async def test_what_stops_the_rows_is_tried_ever_less_often_and_said_all_the_time(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    """Listening again mends nothing: neither is it ready in between, nor does the log fill."""
    await publish(client, story.created().news())
    await caught_up(views, story)
    with structlog.testing.capture_logs() as logs:
        await client.jetstream().publish("ev.library.default.library.created", b"{}")
        await becomes(lambda: len(stops(logs)) >= 4, True)
        tries = stops(logs)
    assert tries == sorted(set(tries))
    assert "lacks a header" in (follower.problem or "")


def stops(logs: Sequence[Mapping[str, Any]]) -> list[float]:
    """The delay after each stop that was logged."""
    return [line["retry_in_s"] for line in logs if line["event"].startswith("The projection stops")]


async def test_a_message_without_envelope_stops_the_rows(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    await publish(client, story.created().news())
    await client.jetstream().publish("ev.library.default.library.created", b"{}")
    await becomes(lambda: "lacks a header" in (follower.problem or ""), True)
    await caught_up(views, story)


async def test_a_deleted_durable_is_made_again(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    await publish(client, story.created().news())
    await caught_up(views, story)
    await client.jetstream().delete_consumer(names.EVENTS, names.PROJECTION_DURABLE)
    await publish(client, story.scanned(1, "a").news())
    await becomes(lambda: reached(views), positions(story), timeout_s=5)


async def test_a_lost_stream_is_made_again_and_its_refill_changes_nothing(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    await publish(client, story.created().news())
    await caught_up(views, story)
    await client.jetstream().delete_stream(names.EVENTS)
    await becomes(lambda: stream_stands(client), True, timeout_s=5)
    await publish(client, story.scanned(1, "a").deliveries())
    await caught_up(views, story)
    assert await views.fetchval("SELECT run_count FROM run_totals") == 1


async def test_republished_events_of_a_new_epoch_make_new_rows(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    await publish(client, story.created().scanned(1, "a", "b").news())
    await caught_up(views, story)
    restored = Story(seed=story.seed)
    restored.scheduler.epoch = restored.id("restored")
    await client.jetstream().delete_stream(names.EVENTS)
    await provision_on(client)
    await publish(client, restored.created().news())
    await caught_up(views, restored)
    assert (await store.positions(views, lock=False))[names.SCHEDULER].epoch == restored.scheduler.epoch
    assert await views.fetchval("SELECT count(*) FROM jobs") == 0
    assert await views.fetchval("SELECT count(*) FROM libraries") == 1


async def test_rows_of_an_old_backup_are_led_on_although_everything_was_acked(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str, nats_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    await caught_up(views, story)
    expected = await checksums(views)
    await follower.stop()
    for table in (*expected, "positions"):
        await views.execute(f"TRUNCATE {table}")
    other = Follower(database_url, nats_url)
    await other.start()
    await caught_up(views, story)
    await other.stop()
    assert await checksums(views) == expected


async def test_rows_of_another_shape_are_built_again(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str, nats_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    await caught_up(views, story)
    await follower.stop()
    await views.execute("UPDATE shape SET version = 0")
    await views.execute("UPDATE libraries SET name = 'as an older version wrote it'")
    other = Follower(database_url, nats_url)
    await other.start()
    await becomes(lambda: views.fetchval("SELECT name FROM libraries"), "Pictures")
    await other.stop()


async def test_a_standby_takes_over_at_once(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str, nats_url: str
) -> None:
    await becomes(lambda: follower.active, True)
    standby = Follower(database_url, nats_url)
    await standby.start()
    await becomes(lambda: standby.problem, None)
    await publish(client, story.created().news())
    await caught_up(views, story)
    assert (follower.active, standby.active) == (True, False)

    await follower.stop()
    await becomes(lambda: standby.active, True, timeout_s=3)
    await publish(client, story.scanned(1, "a").news())
    await caught_up(views, story)
    await standby.stop()


async def test_what_a_killed_predecessor_had_in_hand_comes_at_once(
    story: Story, client: Client, views: Connection, database_url: str, nats_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    held = await client.jetstream().pull_subscribe_bind(durable=names.PROJECTION_DURABLE, stream=names.EVENTS)
    assert len(await held.fetch(100, timeout=0.5)) == len(story.deliveries())
    successor = Follower(database_url, nats_url)
    await successor.start()
    await becomes(lambda: reached(views), positions(story), timeout_s=5)
    await successor.stop()


async def test_text_that_postgres_cannot_hold_stops_nothing(
    story: Story, client: Client, follower: Follower, views: Connection
) -> None:
    story.created().requested(1).started(1)
    story.scheduler.says(
        story.run(1),
        JobFailed(job_id=story.run(1), attempt=1, at=NOON, code="crash", message="\0 at 0x0"),
    )
    await publish(client, story.news())
    await caught_up(views, story)
    assert await views.fetchval("SELECT message FROM jobs") == "\ufffd at 0x0"


def positions(story: Story) -> dict[str, int]:
    return {log.name: log.position for log in story.logs() if log.deliveries}


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)


async def stream_stands(client: Client) -> bool:
    try:
        await client.jetstream().stream_info(names.EVENTS)
    except NotFoundError:
        return False
    return True
