"""Did it fire, and if not, why? Asked over HTTP, of schedules that run, were edited, are deleted or have forgotten."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from linstock import names
from linstock.messages.retention import RetentionApplied
from linstock.messages.rules import Rules
from linstock.messages.schedule import ScheduleDeleted
from tests.integration.api.conftest import World
from tests.support.listed import listed
from tests.support.recorded import NOON
from tests.support.story import Story

DAY = timedelta(days=1)
BERLIN = "Europe/Berlin"


def two(day: int) -> datetime:
    """02:00 UTC in March 2026. The schedule is made on the first at noon."""
    return datetime(2026, 3, 1, 2, tzinfo=UTC) + (day - 1) * DAY


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def four(day: int) -> datetime:
    """04:00 in Berlin."""
    return two(day) + timedelta(hours=1)


def deleted(story: Story) -> Story:
    gone = ScheduleDeleted(schedule_id=story.schedule_id, library_version=1, reason="asked")
    story.scheduler.says(story.schedule_id, gone, actor="ann")
    return story


async def asked(api: httpx.AsyncClient, story: Story, **params: str | int) -> Any:
    answer = await api.get(f"/api/v1/schedules/{story.schedule_id}/ticks", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def about(api: httpx.AsyncClient, story: Story, at: datetime) -> Any:
    return (await asked(api, story, at=at.isoformat()))["at"]


@pytest.fixture
async def told(api: httpx.AsyncClient, world: World, story: Story) -> Story:
    """2 and 3 fired; 4 to 6 missed, 7 caught up; then at 04:00 Berlin time: 8 held up by the run of 7, 9 late. Of the
    first alone, at noon, the run is kept."""
    story.created().requested(0)
    story.fired(two(2), 2).fired(two(3), 3).skipped(two(4), two(6), 3, "misfire")
    story.fired(two(7), 7, "caught_up", missed=3)
    story.retimed(2, "0 4 * * *", after=two(7) + timedelta(hours=3), zone=BERLIN)
    story.skipped(four(8), four(8), 1, "overlap", busy=story.run(7), version=2).fired(four(9), 9, "late", version=2)
    await api.get("/api/v1/libraries", headers=await world.tell(story))
    return story


async def test_each_entry_says_what_when_why_and_under_which_rules(api: httpx.AsyncClient, told: Story) -> None:
    page = await asked(api, told)
    assert (page["totalCount"], page["totalPages"], page["at"]) == (7, 1, None)
    late, overlap, caught_up, missed, *_, first = page["data"]
    assert late == {
        "instant": "2026-03-09T03:00:00Z", "first": "2026-03-09T03:00:00Z", "last": "2026-03-09T03:00:00Z", "count": 1,
        "verdict": "late", "reason": None, "explanation": "It fired 0.0 s late.", "moved": False, "missedCount": 0,
        "decidedAt": late["decidedAt"], "runId": str(told.run(9)), "runStatus": None, "busyRunId": None,
        "calendar": None, "version": 2,
        "cronExpression": "0 4 * * *", "timeZone": BERLIN, "tzdata": "2026f", "backfilled": [],
    }  # fmt: skip
    assert (overlap["verdict"], overlap["reason"], overlap["busyRunId"]) == ("skipped", "overlap", str(told.run(7)))
    assert overlap["explanation"] == f"It did not fire: another run was still going (run {told.run(7)})."
    assert "in place of 3 earlier ones too" in caught_up["explanation"]
    assert (missed["instant"], missed["first"], missed["last"], missed["count"]) == (
        None, "2026-03-04T02:00:00Z", "2026-03-06T02:00:00Z", 3,
    )  # fmt: skip
    assert missed["explanation"].startswith("None of these 3 fired: their time passed while no scheduler could act")
    assert (missed["version"], missed["cronExpression"], missed["timeZone"]) == (1, "0 2 * * *", "UTC")
    assert (first["runId"], first["runStatus"]) == (str(told.run(0)), "Pending")


async def test_pages_and_orders(api: httpx.AsyncClient, told: Story) -> None:
    path = f"scheduledjobs/{told.schedule_id}/ticks"
    firsts = [text(at) for at in (NOON, two(2), two(3), two(4), two(7), four(8), four(9))]
    assert await listed(api, path, "first", order="asc") == (firsts, 7)
    assert await listed(api, path, "first") == (firsts[::-1], 7)
    assert await listed(api, path, "first", page=2, pageSize=3) == (firsts[::-1][3:6], 7)
    assert await listed(api, path, "first", page=3, pageSize=3) == (firsts[::-1][6:], 7)
    assert await listed(api, path, "first", page=3, pageSize=3, order="asc") == (firsts[6:], 7)
    assert await listed(api, path, "first", page=4, pageSize=3) == ([], 7)


async def test_only_some_verdicts_and_reasons(api: httpx.AsyncClient, told: Story) -> None:
    path = f"schedules/{told.schedule_id}/ticks"
    noon, second, third, missed, caught_up, overlap, late = (
        text(at) for at in (NOON, two(2), two(3), two(4), two(7), four(8), four(9))
    )
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"verdict": "skipped"}, [overlap, missed]),
        ({"verdict": "late,caught_up"}, [late, caught_up]),
        ({"verdict": "fired"}, [third, second, noon]),
        ({"verdict": "fired,late"}, [late, third, second, noon]),
        ({"reason": "overlap"}, [overlap]),
        ({"reason": "overlap,misfire", "order": "asc"}, [missed, overlap]),
        ({"verdict": "fired", "reason": "overlap"}, []),
        ({"verdict": "backfilled"}, []),
        ({"reason": "calendar"}, []),
        ({"verdict": "skipped", "to": two(6).isoformat()}, [missed]),
        ({"verdict": "fired", "from": two(3).isoformat()}, [third]),
    ]
    for params, expected in cases:
        assert await listed(api, path, "first", **params) == (expected, len(expected)), params
    assert await listed(api, path, "first", verdict="fired", page=2, pageSize=2) == ([noon], 3)
    assert (await asked(api, told, verdict="skipped"))["upcoming"] == []


async def test_what_was_made_up_for_keeps_its_verdict(api: httpx.AsyncClient, world: World, told: Story) -> None:
    """Of a range two instants, one that stood alone, and one before there was a schedule."""
    told.backfilled(two(1), two(4), two(5)).backfilled(four(8), version=2)
    await api.get("/api/v1/libraries", headers=await world.tell(told))
    page = await asked(api, told)
    _, overlap, _, missed, *_ = page["data"]
    assert (overlap["verdict"], [each["instant"] for each in overlap["backfilled"]]) == ("skipped", [text(four(8))])
    run = str(names.job_of_tick(told.schedule_id, four(8).isoformat()))
    assert overlap["backfilled"][0] == {
        "instant": text(four(8)), "at": overlap["backfilled"][0]["at"], "by": "ann", "runId": run, "runStatus": None,
        "version": 2,
    }  # fmt: skip
    assert f"(run {told.run(7)}). ann had it made up for on " in overlap["explanation"]
    assert overlap["explanation"].endswith(f" UTC (run {run}).")
    assert [each["instant"] for each in missed["backfilled"]] == [text(two(4)), text(two(5))]
    assert missed["explanation"].endswith("2 of them were made up for later, on request.")
    assert [each["instant"] for each in page["backfilled"]] == [text(two(1))]
    in_range = await about(api, told, two(5))
    assert (in_range["verdict"], in_range["backfilled"]["instant"]) == ("skipped", text(two(5)))
    alone = await about(api, told, two(1))
    assert (alone["verdict"], alone["backfilled"]["by"]) == ("backfilled", "ann")
    assert (await about(api, told, two(6)))["backfilled"] is None


async def test_a_span_is_whatever_touches_it(api: httpx.AsyncClient, told: Story) -> None:
    path = f"schedules/{told.schedule_id}/ticks"
    firsts = {day: text(two(day)) for day in (2, 3, 4, 7)}
    spans = {
        (two(3), two(4)): [3],
        (two(3), two(5)): [4, 3],  # of the range a part lies in it
        (two(5), two(5) + DAY / 2): [4],
        (two(6), two(7)): [4],
        (two(6) + DAY / 24, two(7)): [],
        (two(7), two(7) + DAY / 24): [7],
        (two(7), two(7)): [],
        (two(9), two(2)): [],
    }
    for (since, until), days in spans.items():
        found = await listed(api, path, "first", **{"from": since.isoformat(), "to": until.isoformat()})
        assert found == ([firsts[day] for day in days], len(days)), (since, until)
    assert (await listed(api, path, "first", to=two(3).isoformat()))[1] == 2
    assert (await listed(api, path, "first", **{"from": four(8).isoformat()}))[1] == 2
    second = await listed(api, path, "first", page=2, pageSize=1, **{"from": two(2).isoformat(), "to": text(two(4))})
    assert second == ([firsts[2]], 2)


async def test_about_one_instant(api: httpx.AsyncClient, told: Story) -> None:
    fired = await about(api, told, two(3))
    assert fired == {
        "instant": "2026-03-03T02:00:00Z", "isExpected": True, "state": "decided", "verdict": "fired",
        "explanation": "It fired at its time.", "nextInstant": "2026-03-04T02:00:00Z", "version": 1,
        "cronExpression": "0 2 * * *", "timeZone": "UTC", "backfilled": None,
    }  # fmt: skip
    missed = await about(api, told, two(5))
    assert (missed["isExpected"], missed["state"], missed["verdict"]) == (True, "decided", "skipped")
    late = await about(api, told, four(9))
    assert (late["verdict"], late["version"], late["timeZone"]) == ("late", 2, BERLIN)


async def test_only_the_span_that_was_asked_for_is_listed_beside(api: httpx.AsyncClient, told: Story) -> None:
    alone = await asked(api, told, at=text(two(5)))
    assert ([each["count"] for each in alone["data"]], alone["totalCount"], alone["upcoming"]) == ([3], 1, [])
    beside = await asked(api, told, **{"at": text(two(5)), "from": text(two(3)), "to": text(two(4))})
    assert ([each["first"] for each in beside["data"]], beside["at"]["state"]) == ([text(two(3))], "decided")


@pytest.mark.parametrize(
    ("at", "version", "said"),
    [
        (NOON - timedelta(hours=1), None, "was not there yet"),
        (two(5) + timedelta(minutes=1), 1, "'0 2 * * *' in UTC does not come to this instant"),  # within a range
        (two(8), 2, "'0 4 * * *' in Europe/Berlin does not come"),  # what was right before the edit
        (four(9) + timedelta(microseconds=1), 2, "does not come"),
        (datetime.min.replace(tzinfo=UTC), None, "was not there yet"),
    ],
)
async def test_what_was_not_expected_says_why(
    api: httpx.AsyncClient, told: Story, at: datetime, version: int | None, said: str
) -> None:
    answer = await about(api, told, at)
    assert (answer["isExpected"], answer["state"], answer["verdict"]) == (False, "not_expected", None)
    assert answer["version"] == version
    assert said in answer["explanation"]


async def test_what_has_no_verdict_yet_is_told_apart(api: httpx.AsyncClient, told: Story) -> None:
    """The schedule is long overdue, as nobody runs it here."""
    page = await asked(api, told, pageSize=1)
    assert [each["instant"] for each in page["upcoming"]] == [text(four(day)) for day in range(10, 15)]
    assert {each["state"] for each in page["upcoming"]} == {"undecided"}
    some = await asked(api, told, **{"from": text(four(12)), "to": text(four(13))})
    assert [each["instant"] for each in some["upcoming"]] == [text(four(12))]
    assert (await asked(api, told, to=text(four(10))))["upcoming"] == []
    undecided = await about(api, told, four(10))
    assert (undecided["isExpected"], undecided["state"]) == (True, "undecided")
    far = datetime(2999, 1, 1, 3, tzinfo=UTC)
    ahead = await about(api, told, far)
    assert (ahead["isExpected"], ahead["state"], ahead["explanation"]) == (True, "ahead", "It is still ahead.")
    end = await about(api, told, datetime.max.replace(tzinfo=UTC))
    assert (end["state"], end["nextInstant"]) == ("not_expected", None)


async def test_a_disabled_one_has_nothing_ahead(api: httpx.AsyncClient, world: World, told: Story) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(told.paused()))
    page = await asked(api, told, **{"from": "2999-01-01T00:00:00Z"})
    assert page["upcoming"] == []
    ahead = await about(api, told, datetime(2999, 1, 1, 3, tzinfo=UTC))
    assert (ahead["state"], "is disabled" in ahead["explanation"]) == ("ahead", True)
    passed = await about(api, told, four(10))
    assert (passed["state"], "is disabled" in passed["explanation"]) == ("undecided", True)


async def test_a_deleted_one_still_answers(api: httpx.AsyncClient, world: World, told: Story) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(deleted(told)))
    assert (await api.get(f"/api/v1/schedules/{told.schedule_id}")).status_code == 404
    page = await asked(api, told)
    assert (page["totalCount"], page["upcoming"]) == (7, [])
    assert (await about(api, told, two(3)))["verdict"] == "fired"
    after = await about(api, told, four(10))
    assert (after["isExpected"], after["nextInstant"]) == (False, None)
    assert after["explanation"] == "The schedule was deleted on 2026-03-01 12:00:10 UTC by ann."


async def test_what_is_forgotten_says_so(api: httpx.AsyncClient, world: World, told: Story) -> None:
    told.scheduler.says(names.retention_of(names.SCHEDULER), RetentionApplied(before=two(6), days=90))
    await api.get("/api/v1/libraries", headers=await world.tell(told))
    assert await listed(api, f"schedules/{told.schedule_id}/ticks", "verdict", pageSize=2) == (["late", "skipped"], 4)
    assert await listed(api, f"schedules/{told.schedule_id}/ticks", "count", pageSize=2, page=2) == ([1, 3], 4)
    gone = await about(api, told, two(3))
    assert (gone["isExpected"], gone["state"], gone["verdict"]) == (True, "forgotten", None)
    told.scheduler.says(names.retention_of(names.SCHEDULER), RetentionApplied(before=two(30), days=90))
    await api.get("/api/v1/libraries", headers=await world.tell(told))
    assert (await asked(api, told))["totalCount"] == 0
    assert (await about(api, told, four(9)))["state"] == "forgotten"


async def test_an_instant_that_an_edit_passed_over_is_not_made_up(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    story.created().retimed(2, "0 2 * * *", after=two(4), zone="UTC")
    await api.get("/api/v1/libraries", headers=await world.tell(story))
    passed = await about(api, story, two(3))
    assert (passed["isExpected"], passed["state"], passed["version"]) == (True, "unrecorded", 1)


async def test_what_the_clocks_took_away_says_so_and_so_does_a_schedule_that_ended(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    first, last = (datetime(2026, 3, 29, 1, minute, tzinfo=UTC) for minute in (15, 45))
    story.created().retimed(
        2, "15,45 2 * * *", after=two(28), zone=BERLIN, clock_changes="literal", rules=Rules(ends_at=first + 2 * DAY)
    )
    story.skipped(first, last, 2, "clock_change", version=2)
    await api.get("/api/v1/libraries", headers=await world.tell(story))
    lost = await about(api, story, last)
    assert (lost["isExpected"], lost["state"], lost["verdict"]) == (True, "decided", "skipped")
    assert lost["explanation"].endswith("the clocks skipped their wall times, or showed them a second time.")
    assert (await about(api, story, first + DAY / 96))["state"] == "not_expected"  # between the two
    ended = await about(api, story, datetime(2026, 4, 2, 0, 15, tzinfo=UTC))
    assert (ended["state"], ended["explanation"]) == ("not_expected", "The schedule ended on 2026-03-31 01:15:00 UTC.")
    assert (await asked(api, story, **{"from": "2026-04-01T00:00:00Z"}))["upcoming"] == []


@pytest.mark.parametrize("resource", ["scheduledjobs", "schedules"])
async def test_versions(api: httpx.AsyncClient, world: World, told: Story, resource: str) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(deleted(told)))
    page = (await api.get(f"/api/v1/{resource}/{told.schedule_id}/versions")).json()
    second, first = page["data"]
    assert page["totalCount"] == 2
    assert first == {
        "version": 1, "edition": 1, "name": "Library Scan - Pictures", "cronExpression": "0 2 * * *", "timeZone": "UTC",
        "since": "2026-03-01T12:00:00Z", "changedBy": "test", "appliesAfter": "2026-03-01T12:00:00Z",
        "until": second["since"], "deletedBy": None, "restored": None,
        "calendars": [],
    }  # fmt: skip
    assert (second["version"], second["changedBy"], second["timeZone"]) == (2, "editor-2", BERLIN)
    assert (second["appliesAfter"], second["deletedBy"]) == ("2026-03-07T05:00:00Z", "ann")
    assert second["until"] == "2026-03-01T12:00:10Z"
    assert await listed(api, f"{resource}/{told.schedule_id}/versions", "version", page=2, pageSize=1) == ([1], 2)


async def test_of_nobody_there_is_nothing(api: httpx.AsyncClient, world: World) -> None:
    theirs = Story(workspace="theirs").created().fired(two(2), 1)
    await api.get("/api/v1/libraries", headers=await world.tell(theirs))
    for schedule_id in (theirs.schedule_id, uuid4()):
        for what in ("ticks", "versions"):
            answer = await api.get(f"/api/v1/scheduledjobs/{schedule_id}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, "scheduled-job-not-found")
