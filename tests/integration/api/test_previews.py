"""What a schedule would do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx

from linstock.messages.rules import Rules
from tests.integration.api.conftest import World
from tests.support.story import Story

PREVIEW = "/api/v1/schedules/preview"


async def test_the_next_instants_in_utc_and_on_the_wall_with_what_may_surprise(api: httpx.AsyncClient) -> None:
    asked = {
        "cronExpression": "30 2 * * *",
        "timeZone": "Europe/Berlin",
        "from": "2026-03-28T12:00:00Z",
        "count": 2,
    }
    told = (await api.post(PREVIEW, json=asked)).json()
    assert told["next"] == [
        {"at": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00+02:00"},
        {"at": "2026-03-30T00:30:00Z", "local": "2026-03-30T02:30:00+02:00"},
    ]
    assert told["words"] == "At 02:30, every day, Europe/Berlin"
    assert told["warnings"][0].startswith("On 2026-03-29 in Europe/Berlin the clocks skip 02:00 to 03:00")
    assert told["replay"] is None
    literally = (await api.post(PREVIEW, json=asked | {"clockChanges": "literal"})).json()
    assert literally["next"][0]["at"] == "2026-03-30T00:30:00Z"


async def test_the_last_30_days_again_with_another_expression(
    api: httpx.AsyncClient, world: World, story: Story, database_url: str
) -> None:
    story.created().scanned(1, "a").scanned(2, "a")
    await api.get("/api/v1/schedules", headers=await world.tell(story))
    await _ran_yesterday(database_url, story.schedule_id)
    asked = {"scheduledJobId": str(story.schedule_id)}
    told = (await api.post(PREVIEW, json=asked)).json()
    assert (told["cronExpression"], told["timeZone"]) == ("0 2 * * *", "UTC")
    assert (told["replay"]["runs"], told["replay"]["instants"], told["replay"]["skipped"]) == (2, 30, 0)
    denser = (await api.post(PREVIEW, json=asked | {"cronExpression": "* * * * *", "overlapPolicy": "skip"})).json()
    assert not denser["replay"]["complete"]
    assert denser["replay"]["skipped"] > denser["replay"]["fired"]
    assert denser["replay"]["clashes"][0]["outcome"] == "skipped"
    assert denser["warnings"] == ["It fires 1,440 times a day."]


async def test_the_last_30_days_again_with_another_misfire_rule(
    api: httpx.AsyncClient, world: World, story: Story, database_url: str
) -> None:
    """By the ledger nobody was there from 02:00 three days ago until 05:30 yesterday; that one came late, alone."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = today - timedelta(days=3, hours=-2), today - timedelta(days=1, hours=-2)
    story.created().retimed(2, "0 2 * * *", after=today - timedelta(days=29), rules=Rules(overlap="buffer_all"))
    story.skipped(first, last - timedelta(days=1), 2, "misfire", version=2)
    story.fired(last, 1, "caught_up", missed=2, version=2)
    await api.get("/api/v1/schedules", headers=await world.tell(story))
    at = last + timedelta(hours=3, minutes=30)
    await _done(database_url, "UPDATE views.ticks SET decided_at = $2 WHERE schedule_id = $1", story.schedule_id, at)
    asked = {"scheduledJobId": str(story.schedule_id), "endsAt": today.isoformat()}

    async def replayed(**rules: object) -> dict[str, int]:
        answer = await api.post(PREVIEW, json=asked | rules)
        assert answer.status_code == 200, answer.text
        told: dict[str, int] = answer.json()["replay"]
        return told

    once = await replayed(catchupWindowSeconds=7 * 86_400)
    assert (once["absences"], once["caughtUp"], once["missed"]) == (1, 1, 2)
    assert once["fired"] + once["missed"] == once["instants"]
    every = await replayed(misfirePolicy="Strict", catchupWindowSeconds=7 * 86_400)
    assert (every["caughtUp"], every["missed"], every["fired"]) == (3, 0, once["instants"])
    none = await replayed(misfirePolicy="skip")
    assert (none["caughtUp"], none["missed"]) == (0, 3)
    hourly = await replayed(cronExpression="0 * * * *", misfirePolicy="fire_all", catchupWindowSeconds=7200)
    assert (hourly["caughtUp"], hourly["missed"]) == (2, 50)
    apart = await replayed(excluded=[{"first": first.isoformat(), "last": last.isoformat()}])
    assert (apart["outsideWindow"], apart["caughtUp"], apart["missed"]) == (3, 0, 0)


async def test_the_next_are_those_that_may_fire(api: httpx.AsyncClient) -> None:
    asked = {"cronExpression": "0 2 * * *", "from": "2026-03-01T00:00:00Z", "endsAt": "2026-03-04T12:00:00Z"}
    closed = {"first": "2026-03-02T00:00:00Z", "last": "2026-03-03T00:00:00Z"}
    told = (await api.post(PREVIEW, json=asked | {"excluded": [closed]})).json()
    assert [each["at"][:10] for each in told["next"]] == ["2026-03-01", "2026-03-03", "2026-03-04"]
    refused = await api.post(PREVIEW, json=asked | {"overlapPolicy": "allow_all"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/overlapPolicy")


async def _ran_yesterday(database_url: str, schedule_id: UUID) -> None:
    """The story is of March; its runs took two and a half minutes lately."""
    moment = datetime.now(UTC) - timedelta(days=1)
    query = "UPDATE views.jobs SET started_at = $2, ended_at = $3 WHERE schedule_id = $1"
    await _done(database_url, query, schedule_id, moment, moment + timedelta(seconds=150))


async def _done(database_url: str, query: str, *values: object) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(query, *values)
    finally:
        await connection.close()
