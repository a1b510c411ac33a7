"""Rows built again from EVENTS beside the live ones: equal, comparable, and switched in one step."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.provision import provision_on
from linstock.migrations import advisory_key
from services.projection import offline
from services.projection.checksum import checksums
from services.projection.follower import Follower
from services.projection.rebuild import Comparison, RebuildRuns, rebuild, verify
from services.projection.schema import Connection
from services.projection.scratch import EventsBehind
from tests.integration.projection.test_following import caught_up
from tests.support.recorded import publish
from tests.support.story import Story
from tests.support.waiting import becomes


async def test_a_rebuild_equals_what_was_followed(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    story.created().scanned(1, "a", "b").paused().resumed().requested(2).started(2).retried(2)
    story.enriching(1).enriched(1, "a").quarantined(1, "b", 0, 1).quarantined(2, "a", 1).page(
        2, "a", attempt=2, images=3
    )
    await publish(client, story.news())
    await caught_up(views, story)
    comparison = await verify(database_url, client)
    assert comparison.differing == []
    assert comparison.live == await checksums(views)
    assert {log: stands.position for log, stands in comparison.positions.items()} == {
        log.name: log.position for log in story.logs()
    }
    schemas = await views.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'views%'")
    assert [row["nspname"] for row in schemas] == ["views"]


async def test_a_changed_row_is_found_and_mended_while_the_projection_goes_on(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    await caught_up(views, story)
    right = await checksums(views)
    await views.execute("UPDATE collections SET image_count = 7")
    await views.execute("DELETE FROM jobs")
    assert (await verify(database_url, client)).differing == ["collections", "jobs"]

    assert (await rebuild(database_url, client)).differing == ["collections", "jobs"]
    assert await checksums(views) == right
    await publish(client, story.scanned(2, "b").news())
    await caught_up(views, story)
    assert await views.fetchval("SELECT run_count FROM run_totals WHERE scope = 'default'") == 2
    assert (await verify(database_url, client)).differing == []


async def test_a_rebuild_waits_for_events_that_the_live_rows_know(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    await caught_up(views, story)
    before = await checksums(views)
    await client.jetstream().delete_stream(names.EVENTS)
    await provision_on(client)
    with pytest.raises(EventsBehind):
        await rebuild(database_url, client)
    assert await checksums(views) == before


async def test_a_reader_sees_the_old_rows_or_the_new_ones(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    await publish(client, story.created().scanned(1, "a", "b", "c").news())
    await caught_up(views, story)
    reader = await asyncpg.connect(database_url, server_settings={"search_path": "views"})
    seen = await reader.prepare("SELECT count(*) FROM collections")
    assert await seen.fetchval() == 3
    await rebuild(database_url, client)
    assert await seen.fetchval() == 3
    assert await reader.fetchval("SELECT count(*) FROM collections") == 3
    await reader.close()


async def test_the_commands(
    story: Story,
    client: Client,
    follower: Follower,
    views: Connection,
    database_url: str,
    nats_url: str,
    tmp_path: Path,
) -> None:
    await publish(client, story.created().scanned(1, "a").news())
    await caught_up(views, story)
    where = {"LINSTOCK_DATABASE_URL": database_url, "LINSTOCK_NATS_URL": nats_url}
    assert command("verify", where, tmp_path).returncode == 0
    await views.execute("UPDATE libraries SET name = 'tampered'")
    found = command("verify", where, tmp_path)
    assert (found.returncode, found.stderr.strip()) == (1, "different: libraries")
    assert command("rebuild", where, tmp_path).returncode == 0
    assert command("verify", where, tmp_path).returncode == 0
    assert await views.fetchval("SELECT name FROM libraries") == "Pictures"

    nowhere = command("verify", {}, tmp_path)
    assert nowhere.returncode == 3
    assert "Nothing runs on" in nowhere.stderr


async def test_a_command_waits_for_another_rebuild(
    story: Story,
    client: Client,
    follower: Follower,
    views: Connection,
    database_url: str,
    nats_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """As after `linstock events republish`, when the live projection builds everything again by itself."""
    monkeypatch.setenv("LINSTOCK_DATABASE_URL", database_url)
    monkeypatch.setenv("LINSTOCK_NATS_URL", nats_url)
    await publish(client, story.created().news())
    await caught_up(views, story)
    key = advisory_key("projection", "rebuild")
    await views.execute("SELECT pg_advisory_lock($1)", key)
    asked, verified = list[bool](), verify

    async def verifies(*given: Any) -> Comparison:
        asked.append(True)
        return await verified(*given)

    monkeypatch.setattr("services.projection.rebuild.verify", verifies)
    waiting = asyncio.create_task(offline.run(tmp_path, "verify", lambda _: None))
    await becomes(lambda: len(asked) > 1 or waiting.done(), expected=True)
    assert not waiting.done(), "it neither waited nor said so"
    await views.execute("SELECT pg_advisory_unlock($1)", key)
    assert (await waiting).differing == []
    monkeypatch.setattr(offline, "OTHER_WITHIN_S", 0.0)
    await views.execute("SELECT pg_advisory_lock($1)", key)
    with pytest.raises(RebuildRuns, match="try again when it has ended"):
        await offline.run(tmp_path, "verify", lambda _: None)


def test_servers_are_found_through_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(
        '{"nats":{"pid":1,"url":"nats://n"},"postgres":{"pid":2,"url":"postgres://p"}}'
    )
    assert offline.servers({}, tmp_path) == ("postgres://p", "nats://n")
    assert offline.servers({"LINSTOCK_NATS_URL": "nats://other"}, tmp_path) == ("postgres://p", "nats://other")


def command(what: str, where: dict[str, str], data_dir: Path) -> subprocess.CompletedProcess[str]:
    code = "from services.projection.command import projection; projection()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")}
    return subprocess.run(
        [sys.executable, "-c", code, what, "--data-dir", str(data_dir)],
        env={**environment, **where},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
