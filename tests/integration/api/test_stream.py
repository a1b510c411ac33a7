"""The feed live: nothing left out and nothing twice, whatever ends in between; and no client costs the others."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.provision import provision_on
from linstock.messages.job import JobSucceeded
from linstock.settings import Settings
from services.api.app import ApiService
from services.api.queries import events
from services.projection import rebuild, schema
from services.projection.follower import Follower
from tests.support.recorded import publish
from tests.support.sse import Said, listening
from tests.support.story import Story
from tests.support.waiting import becomes

URL = "/api/v1/events/stream"
Json = dict[str, Any]


class Served:
    """An API that may be ended and started again; what listens is said in `limits`."""

    def __init__(self, settings: Settings, **limits: Any) -> None:
        self._settings, self._limits = settings, limits
        self.service: ApiService
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        self.service = ApiService(self._settings, **self._limits)
        await self.service.start()
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.service.port}", timeout=20)

    async def stop(self) -> None:
        await self.service.stop()
        await self.http.aclose()

    @property
    def streams(self) -> int:
        assert self.service._streams
        return self.service._streams.count


@asynccontextmanager
async def serving(database_url: str, nats_url: str, **limits: Any) -> AsyncIterator[Served]:
    served = Served(Settings(service="api", database_url=database_url, nats_url=nats_url, port=0), **limits)
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def served(database_url: str, nats_url: str, follower: Follower) -> AsyncIterator[Served]:
    async with serving(database_url, nats_url) as served:
        yield served


@pytest.fixture
def busy(story: Story) -> Story:
    return story.created().scanned(1, "a", "b").requested(2).started(2).failed(2)


async def told(client: Client, served: Served, story: Story) -> None:
    await publish(client, story.news())
    vector = ",".join(f"{log.name}:{log.position}" for log in story.logs() if log.deliveries)
    answer = await served.http.get("/api/v1/events", headers={"Linstock-Position": vector})
    assert "Linstock-Stale" not in answer.headers


def ids(events: list[Json]) -> list[UUID]:
    return [UUID(event["id"]) for event in events]


def rest(story: Story, heard: list[UUID]) -> list[UUID]:
    return [each for each in of(story) if each not in heard]


def of(story: Story) -> list[UUID]:
    told = sorted(story.deliveries(), key=lambda each: (each.recorded.time, each.recorded.log, each.recorded.position))
    return [each.recorded.event_id for each in told]


async def test_resuming_at_every_point_gives_exactly_the_remaining_events(
    client: Client, served: Served, busy: Story
) -> None:
    await told(client, served, busy)
    points: list[str] = []
    async with listening(served.http, cursor="start") as live:
        await live.block()
        whole: list[Json] = []
        while len(whole) < len(of(busy)):
            points.append(live.id)
            whole += await live.take(1)
        points.append(live.id)
    assert ids(whole) == of(busy)

    # Something that happens afterwards shows that nothing stood between.
    await told(client, served, busy.deleted())
    for index, point in enumerate(points):
        for parameters in ({"last": point}, {"cursor": point}, {"last": point, "cursor": "start"}):
            async with listening(served.http, **parameters) as live:
                expected = rest(busy, ids(whole)[:index])
                assert ids(await live.take(len(expected))) == expected


async def test_without_a_cursor_it_begins_now(client: Client, served: Served, busy: Story) -> None:
    await told(client, served, busy)
    async with listening(served.http) as live:
        first = await live.block()
        assert first == Said(id=live.id)
        assert live.id.count(":") == 3
        await publish(client, busy.deleted().news())
        [library, schedule] = await live.take(2)
    assert {library["type"], schedule["type"]} == {"linstock.library.deleted.v1", "linstock.schedule.deleted.v1"}


async def test_filters_hold_live_and_the_cursor_moves_past_what_is_not_wanted(
    client: Client, database_url: str, nats_url: str, follower: Follower, busy: Story
) -> None:
    async with (
        serving(database_url, nats_url, comment_every_s=0.05) as served,
        listening(served.http, cursor="start", type="linstock.library.*") as live,
    ):
        await publish(client, busy.news())
        assert [event["type"] for event in await live.take(1)] == ["linstock.library.created.v1"]
        at = f":{busy.scheduler.position}"
        while at not in live.id:  # a comment says how far there is nothing wanted
            await live.block()
        await publish(client, busy.deleted().news())
        assert [event["type"] for event in await live.take(1)] == ["linstock.library.deleted.v1"]


async def test_after_a_restart_a_rebuild_and_a_refill_it_goes_on_where_it_was(
    client: Client, served: Served, database_url: str, busy: Story
) -> None:
    await told(client, served, busy)
    before, left = of(busy)[:9], of(busy)[9:]
    async with listening(served.http, cursor="start") as live:
        assert ids(await live.take(5)) == before[:5]
        last = live.id
    await served.stop()
    await served.start()
    async with listening(served.http, last=last) as live:
        assert ids(await live.take(2)) == before[5:7]
        last = live.id
    await rebuild.rebuild(database_url, client)
    async with listening(served.http, last=last) as live:
        assert ids(await live.take(2)) == before[7:]
        last = live.id
    await client.jetstream().delete_stream(names.EVENTS)
    await provision_on(client)
    await publish(client, busy.deliveries())
    await told(client, served, busy.deleted())
    async with listening(served.http, last=last) as live:
        assert ids(await live.take(len(left) + 2)) == rest(busy, before)


async def test_a_listener_hears_each_event_once_while_the_tables_are_replaced_under_it(
    client: Client, served: Served, database_url: str, story: Story
) -> None:
    await told(client, served, story.created())
    async with listening(served.http, cursor="start") as live:
        heard = await live.take(len(of(story)))
        for run in range(1, 6):
            await publish(client, story.scanned(run, "a").news())
            await rebuild.rebuild(database_url, client)
        heard += await live.take(len(of(story)) - len(heard))
        await told(client, served, story.deleted())
        heard += await live.take(2)
    assert sorted(ids(heard)) == sorted(of(story))
    for log in story.logs():
        in_order = [event["position"] for event in heard if event["log"] == log.name]
        assert in_order == [each.recorded.position for each in log.deliveries]


async def test_another_epoch_says_reset_and_ends(client: Client, served: Served, busy: Story) -> None:
    await told(client, served, busy)
    async with listening(served.http, last="library.0a0b0c0d:2") as live:
        assert (await live.block()) == Said(id="library.0a0b0c0d:2")
        reset = await live.block()
        assert reset
        assert (reset.event, reset.id, reset.json["code"], reset.json["log"]) == ("reset", "", "reset", "library")
        assert await live.block() is None


async def test_a_log_that_is_replaced_while_somebody_listens(client: Client, served: Served, busy: Story) -> None:
    await told(client, served, busy)
    async with listening(served.http) as live:
        await live.block()
        await client.jetstream().delete_stream(names.EVENTS)
        await provision_on(client)
        await publish(client, Story().created().deliveries())
        reset = await live.block()
        assert reset
        assert reset.event == "reset"
        assert await live.block() is None


async def test_what_it_says_between_events_and_in_its_headers(
    database_url: str, nats_url: str, follower: Follower
) -> None:
    async with (
        serving(database_url, nats_url, comment_every_s=0.05) as served,
        served.http.stream("GET", URL) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert (response.headers["cache-control"], response.headers["x-accel-buffering"]) == ("no-store", "no")
        lines = response.aiter_lines()
        said = [await anext(lines) for _ in range(10)]
    assert said == [": linstock", "retry: 2000", "id: start", "", ":", "id: start", "", ":", "id: start", ""]


async def test_line_ends_within_an_event_reach_the_client(client: Client, served: Served, story: Story) -> None:
    """What a job returned is JSON as its worker wrote it."""
    result = msgspec.Raw(b'{"a":\r\n1,\n"b":\r[2]}')
    story.created().requested(1).started(1)
    at = story.moment(1, 1)
    story.scheduler.says(story.run(1), JobSucceeded(job_id=story.run(1), attempt=1, at=at, result=result))
    await told(client, served, story)
    async with listening(served.http, cursor="start", type="linstock.job.succeeded.v1") as live:
        [event] = await live.take(1)
    assert event["data"]["result"] == {"a": 1, "b": [2]}


async def test_too_many_are_turned_away_and_who_leaves_makes_room(
    database_url: str, nats_url: str, follower: Follower
) -> None:
    async with serving(database_url, nats_url, most_streams=2) as served:
        async with listening(served.http) as first, listening(served.http) as second:
            await first.block()
            await second.block()
            refused = await served.http.get(URL)
            assert (refused.status_code, refused.json()["code"]) == (503, "too-many-streams")
            assert refused.headers["retry-after"]
        await becomes(lambda: served.streams, 0)
        async with listening(served.http) as again:
            assert await again.block()


async def test_a_client_that_does_not_read_is_read_for_when_it_does(
    served: Served, database_url: str, client: Client, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is it sent more than fits on the way, nor does anybody wait for it."""
    await told(client, served, story.created())
    await _fill(database_url, events_count=300, data_bytes=60_000)
    reads: list[int] = []
    after = events.after

    async def counted(pool: asyncpg.Pool, wanted: Any, cursor: Any, limit: int) -> Any:
        found = await after(pool, wanted, cursor, limit)
        reads.append(len(found.events) if wanted.types else 0)
        return found

    monkeypatch.setattr(events, "after", counted)
    reader, writer = await _narrow(served.service.port, f"{URL}?cursor=start&type=linstock.library.created.v1")
    await becomes(lambda: bool(reads), True)
    async with listening(served.http, cursor="start") as live:
        assert len(await live.take(300)) == 300
    assert sum(reads) < 200, "most of it waits where it is kept"
    positions: list[int] = []
    async with asyncio.timeout(60):
        while len(positions) < 301:
            line = await reader.readline()
            assert line
            if line.startswith(b"data: "):
                positions.append(msgspec.json.decode(line[6:])["position"])
    writer.close()
    assert positions == [2, *range(1001, 1301)]


async def _narrow(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client whose system takes little in advance."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
    writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return reader, writer


async def _fill(database_url: str, *, events_count: int, data_bytes: int) -> None:
    """Many large events of the library's log, as if they had been projected."""
    views = await schema.connect(database_url)
    await views.execute(
        "INSERT INTO events SELECT workspace, log, 1000 + n, gen_random_uuid(), type, at, actor, aggregate,"
        " aggregate_id, n, library_id, correlation_id, NULL, to_jsonb(repeat('x', $2))::text, $2 FROM events,"
        " generate_series(1, $1) n WHERE type = 'linstock.library.created.v1'",
        events_count,
        data_bytes,
    )
    await views.execute("UPDATE positions SET position = 1000 + $1 WHERE log = 'library'", events_count)
    await views.close()


async def test_ending_ends_the_streams_at_once(served: Served) -> None:
    async with listening(served.http) as live:
        await live.block()
        async with asyncio.timeout(3):  # less than the 5 s after which it would be cut off
            await served.service.stop()
        assert await live.block() is None


async def test_while_the_read_models_are_away_a_listener_is_kept(
    client: Client, served: Served, database_url: str, story: Story
) -> None:
    await told(client, served, story.created())
    async with listening(served.http) as live:
        await live.block()
        views = await schema.connect(database_url)
        await views.execute("ALTER TABLE positions RENAME TO elsewhere")
        failed = await served.http.get("/api/v1/events")
        assert failed.status_code == 503
        await views.execute("ALTER TABLE elsewhere RENAME TO positions")
        await views.close()
        await publish(client, story.paused().news())
        assert [event["type"] for event in await live.take(1)] == ["linstock.schedule.disabled.v1"]
