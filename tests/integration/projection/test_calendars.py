"""Calendars in a real Postgres: followed or built again, their rows are the same."""

from datetime import date
from typing import Any

from nats.aio.client import Client

from linstock import names
from linstock.messages.calendar import CalendarChanged, CalendarDefined, CalendarDeleted
from linstock.messages.rules import CalendarDays, Rules, Timing
from linstock.messages.schedule import ScheduleChanged, TicksSkipped
from services.projection.follower import Follower
from services.projection.rebuild import verify
from services.projection.schema import Connection
from tests.integration.projection.test_following import caught_up
from tests.support.recorded import NOON, publish
from tests.support.story import Story

XMAS, EASTER = date(2026, 12, 25), date(2027, 3, 28)


def history(story: Story) -> Story:
    """One that is deleted and back, one that a schedule has a copy of."""
    for name in ("fair", "holidays"):
        calendar_id = names.calendar_of("default", name)
        of: dict[str, Any] = {"calendar_id": calendar_id, "name": name, "at": NOON}
        story.scheduler.says(calendar_id, CalendarDefined(**of, description="", days=(XMAS,)))
        story.scheduler.says(calendar_id, CalendarChanged(**of, description="", days=()))
        if name == "fair":
            story.scheduler.says(calendar_id, CalendarDeleted(**of))
            again = CalendarDefined(**of, description="again", days=(XMAS, EASTER))
            story.scheduler.says(calendar_id, again)
    changed = ScheduleChanged(
        schedule_id=story.schedule_id, version=2, name="n", description="", target=story.target, library_version=1,
        timing=Timing(expression="@daily", zone="UTC"), cursor=NOON,
        rules=Rules(calendars=(CalendarDays(name="fair", version=4, days=(XMAS, EASTER)),)),
    )  # fmt: skip
    skipped = TicksSkipped(
        schedule_id=story.schedule_id, first=NOON, last=NOON, count=1, reason="outside_window", busy=None, version=2,
        tzdata="2026a", calendar="fair",
    )  # fmt: skip
    story.scheduler.says(story.schedule_id, changed, skipped)
    return story


async def test_followed_or_built_again_the_rows_are_the_same(
    story: Story, client: Client, follower: Follower, views: Connection, database_url: str
) -> None:
    history(story.created())
    await publish(client, story.news())
    await publish(client, story.deliveries())  # again, as a refill would
    await caught_up(views, story)
    rows = await views.fetch("SELECT name, version, day_count, first_day, deleted_at FROM calendars ORDER BY name")
    assert [tuple(row) for row in rows] == [("fair", 4, 2, "2026-12-25", None), ("holidays", 2, 0, None, None)]
    assert await views.fetchval("SELECT calendars FROM schedules") == "fair"
    assert await views.fetchval("SELECT calendar FROM ticks") == "fair"
    assert (await verify(database_url, client)).differing == []
