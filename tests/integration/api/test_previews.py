"""What a schedule would do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx

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


async def _ran_yesterday(database_url: str, schedule_id: UUID) -> None:
    """The story is of March; its runs took two and a half minutes lately."""
    connection = await asyncpg.connect(database_url)
    try:
        moment = datetime.now(UTC) - timedelta(days=1)
        await connection.execute(
            "UPDATE views.jobs SET started_at = $2, ended_at = $3 WHERE schedule_id = $1",
            schedule_id,
            moment,
            moment + timedelta(seconds=150),
        )
    finally:
        await connection.close()
