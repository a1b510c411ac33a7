"""`linstock schedule ticks | versions`."""

import json
from typing import Any

import pytest

from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import RUN_ID, SCHEDULE_ID, schedule, tick, version

PATH = f"/scheduledjobs/{SCHEDULE_ID}"
SKIPPED = tick() | {
    "verdict": "skipped", "reason": "misfire", "explanation": "None of these 3 fired: nobody was there.", "count": 3,
    "instant": None, "first": "2026-10-24T00:00:00Z", "last": "2026-10-26T01:00:00Z", "runId": None, "runStatus": None,
}  # fmt: skip
AHEAD = {"instant": "2026-11-23T01:00:00Z", "state": "ahead", "explanation": "It is still ahead."}


def ledger(*ticks: Any, at: Any = None, upcoming: Any = ()) -> Answer:
    listed = page(*ticks)
    return Answer(200, {**listed.body, "upcoming": list(upcoming), "at": at})


def about(**more: Any) -> dict[str, Any]:
    return {
        "instant": "2026-11-22T01:00:00Z", "isExpected": True, "state": "decided", "verdict": "skipped",
        "explanation": "It did not fire: the schedule was paused.", "nextInstant": "2026-11-23T01:00:00Z", "version": 1,
        "cronExpression": "0 2 * * *", "timeZone": "Europe/Berlin", **more,
    }  # fmt: skip


@pytest.fixture
def told(api: FakeApi) -> FakeApi:
    """Of the schedule itself nothing is known: it is deleted."""
    api.on(f"GET {PATH}/versions", page(version()))
    api.on(f"GET {PATH}/ticks", ledger(tick(), SKIPPED, upcoming=[AHEAD]))
    return api


def test_verdicts_are_shown_in_the_zone_of_the_schedule(linstock: Linstock, told: FakeApi) -> None:
    ended = linstock("schedule", "ticks", SCHEDULE_ID)
    assert ended.exit_code == 0
    _, fired, skipped = ended.stdout.splitlines()
    assert fired.split("  ")[0] == "Sun 2026-11-22 02:00:00 +0100"
    assert f"fired    It fired at its time.                     {RUN_ID[:8]} Completed" in fired
    # Over the night in which the clocks went back.
    assert skipped.startswith("Sat 2026-10-24 02:00:00 +0200 to Mon 2026-10-26 02:00:00 +0100  skipped")
    assert ended.stderr == "Mon 2026-11-23 02:00:00 +0100: It is still ahead.\n"


def test_programs_get_the_apis_own_objects(linstock: Linstock, told: FakeApi) -> None:
    ended = linstock("schedule", "ticks", SCHEDULE_ID, "-o", "json")
    assert (json.loads(ended.stdout), ended.stderr) == ([tick(), SKIPPED], "")


def test_by_name_and_in_a_span_of_its_own_zone(linstock: Linstock, told: FakeApi) -> None:
    told.on("GET /scheduledjobs", page(schedule()))
    span = ("--from", "2026-11-01", "--to", "2026-11-23T12:00:00+01:00")
    assert linstock("schedule", "ticks", "Library Scan - Holidays", *span, "-o", "jsonl").exit_code == 0
    query = told.asked[-1].query
    assert (query["from"], query["to"]) == ("2026-10-31T23:00:00+00:00", "2026-11-23T12:00:00+01:00")


def test_what_was_run_and_is_forgotten_says_so(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}/ticks", ledger(tick(runStatus=None, cronExpression=None, timeZone=None)))
    shown = linstock("schedule", "ticks", SCHEDULE_ID).stdout
    assert "Sun 2026-11-22 02:00:00 +0100" in shown
    assert f"{RUN_ID[:8]} no longer kept" in shown


def test_there_is_no_verdict(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}/ticks", ledger())
    assert linstock("schedule", "ticks", SCHEDULE_ID).stderr == "There is no verdict yet.\n"
    ended = linstock("schedule", "ticks", SCHEDULE_ID, "--to", "2026-01-01")
    assert ended.stderr == "There is no verdict in that time.\n"


def test_about_one_instant(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}/ticks", ledger(SKIPPED, at=about()))
    ended = linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22 02:00")
    assert told.asked[-1].query == {"at": "2026-11-22T01:00:00+00:00"}
    assert ended.stdout.splitlines() == [
        "instant        Sun 2026-11-22 02:00:00 +0100",
        "verdict        skipped",
        "why            It did not fire: the schedule was paused.",
        "in force       0 2 * * * Europe/Berlin (version 1)",
        "next after it  Mon 2026-11-23 02:00:00 +0100",
    ]
    told.on(f"GET {PATH}/ticks", ledger(tick(), at=about(verdict="fired")))
    assert (
        f"run            {RUN_ID[:8]} Completed"
        in linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22T01:00Z").stdout
    )
    programs = linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22T01:00Z", "-o", "json")
    assert json.loads(programs.stdout) == about(verdict="fired")


def test_about_an_instant_before_there_was_a_schedule(linstock: Linstock, told: FakeApi) -> None:
    unknown = dict.fromkeys(("verdict", "version", "cronExpression", "timeZone", "nextInstant"))
    never = about(state="not_expected", explanation="The schedule was not there yet.", **unknown)
    told.on(f"GET {PATH}/ticks", ledger(at=never))
    assert linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22 02:00").stdout.splitlines() == [
        "instant  Sun 2026-11-22 02:00:00 +0100",
        "verdict  not expected",
        "why      The schedule was not there yet.",
    ]


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-03-29 02:30", "2026-03-29T01:00:00+00:00"),  # the clocks skip it: where the gap ends
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),  # it comes twice: the first
        ("2028-02-29", "2028-02-28T23:00:00+00:00"),
    ],
)
def test_a_wall_time_is_when_it_would_fire(wall: str, instant: str, linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}/ticks", ledger(at=about()))
    linstock("schedule", "ticks", SCHEDULE_ID, "--at", wall)
    assert told.asked[-1].query == {"at": instant}


def test_one_instant_or_a_span(linstock: Linstock, told: FakeApi) -> None:
    ended = linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22", "--from", "2026-11-22")
    assert (ended.exit_code, "--at is about one instant" in ended.stderr) == (2, True)
    early = linstock("schedule", "ticks", SCHEDULE_ID, "--at", "0001-01-01")
    assert (early.exit_code, "give its offset" in early.stderr) == (2, True)


def test_versions(linstock: Linstock, told: FakeApi) -> None:
    gone = version(2, cronExpression="0 4 * * *", until="2026-11-23T07:03:25Z", deletedBy="bob")
    told.on(f"GET {PATH}/versions", page(gone, version(until=gone["since"]), total=3))
    ended = linstock("schedule", "versions", SCHEDULE_ID, "-n", "2", TZ="UTC")
    _, second, first = ended.stdout.splitlines()
    assert "0 4 * * * Europe/Berlin" in second
    assert "(deleted)" in second
    assert "(deleted)" not in first
    assert "2 of 3" in ended.stderr


def test_only_some_verdicts_and_reasons(linstock: Linstock, told: FakeApi) -> None:
    words = ("--verdict", "skipped", "--verdict", "late", "--reason", "overlap", "--to", "2026-11-23")
    assert linstock("schedule", "ticks", SCHEDULE_ID, *words, "-o", "jsonl").exit_code == 0
    query = told.asked[-1].query
    assert (query["verdict"], query["reason"]) == ("skipped,late", "overlap")
    ended = linstock("schedule", "ticks", SCHEDULE_ID, "--at", "2026-11-22", "--verdict", "late")
    assert (ended.exit_code, "--at is about one instant" in ended.stderr) == (2, True)


DIFF = {
    "version": 5, "against": 3, "changes": [
        {"field": "cronExpression", "from": "0 2 * * *", "to": "0 4 * * *"},
        {"field": "maxRuns", "from": None, "to": 7},
        {"field": "excluded", "from": [{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T00:00:00Z"}], "to": []},
    ],
}  # fmt: skip


def test_what_became_different(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}/versions/5/diff", Answer(200, DIFF))
    shown = linstock("schedule", "diff", SCHEDULE_ID, 3, 5)
    assert told.asked[-1].query == {"against": "3"}
    assert shown.stdout.splitlines() == [
        "cronExpression: 0 2 * * * -> 0 4 * * *",
        "maxRuns: none -> 7",
        'excluded: [{"first": "2026-12-24T00:00:00Z", "last": "2026-12-26T00:00:00Z"}] -> none',
    ]
    assert json.loads(linstock("schedule", "diff", SCHEDULE_ID, 5, "-o", "json").stdout) == DIFF
    assert told.asked[-1].query == {}
    told.on(f"GET {PATH}/versions/3/diff", Answer(200, {"version": 3, "against": 2, "changes": []}))
    assert linstock("schedule", "diff", SCHEDULE_ID, 3).stdout == "Versions 2 and 3 are the same.\n"


def test_restoring_shows_the_schedule_as_it_is_then(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}", Answer(200, schedule()))
    told.on(f"POST {PATH}/restore", Answer(200, schedule("Nightly")))
    assert "Nightly" in linstock("schedule", "restore", SCHEDULE_ID, 3).stdout
    assert told.told(f"POST {PATH}/restore") == [{"version": 3}]


def backfill(dry_run: bool) -> Answer:
    rows = [
        {"instant": "2026-03-28T01:00:00Z", "outcome": "fired_already", "runId": RUN_ID},
        {"instant": "2026-03-29T01:00:00Z", "outcome": "fires", "runId": RUN_ID},
    ]
    counts = {"fires": 1, "firedAlready": 1, "undecided": 0}
    return Answer(200, {"scheduledJobId": SCHEDULE_ID, "dryRun": dry_run, **counts, "data": rows})


SPAN = ("--from", "2026-03-28", "--to", "2026-03-29 12:00")
ASKED = {"from": "2026-03-27T23:00:00+00:00", "to": "2026-03-29T10:00:00+00:00"}


def test_a_backfill_is_shown_in_the_zone_of_the_schedule(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}", Answer(200, schedule()))
    told.on(f"POST {PATH}/backfill", backfill(True))
    shown = linstock("schedule", "backfill", SCHEDULE_ID, *SPAN, "--dry-run")
    assert told.told(f"POST {PATH}/backfill") == [{**ASKED, "dryRun": True}]
    assert shown.stdout.splitlines()[1:] == [
        f"Sat 2026-03-28 02:00:00 +0100  fired already  {RUN_ID[:8]}",
        f"Sun 2026-03-29 03:00:00 +0200  fires          {RUN_ID[:8]}",
    ]
    assert shown.stderr == "1 instant would fire, 1 fired already, 0 undecided.\n"


def test_a_backfill_is_done_at_once_with_yes_and_by_nobody_without(linstock: Linstock, told: FakeApi) -> None:
    told.on(f"GET {PATH}", Answer(200, schedule()))
    told.on(f"POST {PATH}/backfill", backfill(False))
    assert linstock("schedule", "backfill", SCHEDULE_ID, *SPAN).exit_code == 2
    assert told.told(f"POST {PATH}/backfill") == []
    done = linstock("schedule", "backfill", SCHEDULE_ID, *SPAN, "--yes")
    assert told.told(f"POST {PATH}/backfill") == [{**ASKED, "dryRun": False}]
    assert (done.exit_code, done.stderr) == (0, "Asked for 1 run.\n")


@pytest.mark.parametrize(("answer", "asked"), [("y\n", [True, False]), ("n\n", [True])])
def test_a_backfill_asks_with_what_would_happen(
    linstock: Linstock, told: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: str, asked: list[bool]
) -> None:
    monkeypatch.setattr("linstock.cli.backfills.somebody_is_there", lambda: True)
    told.on(f"GET {PATH}", Answer(200, schedule()))
    told.on(f"POST {PATH}/backfill", backfill(True), backfill(False))
    ended = linstock("schedule", "backfill", SCHEDULE_ID, *SPAN, input=answer)
    assert [each["dryRun"] for each in told.told(f"POST {PATH}/backfill")] == asked
    assert "1 instant would fire" in ended.stderr
