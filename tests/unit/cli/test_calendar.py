"""`linstock calendar` as a person uses it, and naming calendars for schedules."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_api import Answer, Asked, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import SCHEDULE_ID, calendar, schedule

PUT = "PUT /calendars/holidays"
XMAS = ("2026-12-25", "2026-12-26")


@pytest.fixture
def setting(api: FakeApi) -> FakeApi:
    """A server that takes any days."""

    def put(asked: Asked) -> Answer:
        return Answer(200, calendar(*asked.body["days"]) | {"description": asked.body["description"]})

    api.on(PUT, put)
    return api


def test_a_list_says_how_many_days_and_users(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /calendars", page(calendar(*XMAS, used_by=1200), calendar(name="fair")))
    lines = linstock("calendar", "ls").stdout.splitlines()
    assert lines[1].split() == ["holidays", "2", *XMAS, "1,200", "Public"]
    assert lines[2].split() == ["fair", "0", "-", "-", "0", "Public"]


def test_one_is_shown_day_by_day(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /calendars/holidays", Answer(200, calendar(*XMAS, used_by=1)))
    shown = linstock("calendar", "show", "holidays").stdout
    assert "used by      1 schedule\n" in shown
    assert "days         Fri 2026-12-25\n             Sat 2026-12-26\n" in shown


def test_days_come_from_options_and_a_file(linstock: Linstock, setting: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "days.txt"
    file.write_text("# public holidays\n\n2026-12-26 Boxing Day\n2026-12-25\n")
    ended = linstock("calendar", "set", "holidays", "--day", "2027-01-01", "--file", file, "--description", "D", "-o",
                     "json")  # fmt: skip
    assert ended.exit_code == 0, ended.output
    assert setting.told(PUT) == [{"days": [*XMAS, "2027-01-01"], "description": "D"}]
    assert json.loads(ended.stdout)["days"] == [*XMAS, "2027-01-01"]


def test_a_line_that_is_no_day_is_named(linstock: Linstock, setting: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "days.txt"
    file.write_text("2026-12-25\n26.12.2026\n")
    ended = linstock("calendar", "set", "holidays", "--file", file)
    assert (ended.exit_code, setting.told(PUT)) == (2, [])
    assert "Line 2: '26.12.2026' is no day such as 2026-12-25" in ended.stderr


def test_the_description_stays_where_none_is_given(linstock: Linstock, setting: FakeApi) -> None:
    assert linstock("calendar", "set", "holidays", "--empty").exit_code == 0
    setting.on("GET /calendars/holidays", Answer(200, calendar(*XMAS)))
    assert linstock("calendar", "set", "holidays", "--day", XMAS[0]).exit_code == 0
    assert setting.told(PUT) == [
        {"days": [], "description": ""}, {"days": [XMAS[0]], "description": "Public"},
    ]  # fmt: skip


@pytest.mark.parametrize("words", [(), ("--empty", "--day", XMAS[0])])
def test_either_days_or_none(linstock: Linstock, setting: FakeApi, words: tuple[str, ...]) -> None:
    ended = linstock("calendar", "set", "holidays", *words)
    assert (ended.exit_code, setting.told(PUT)) == (2, [])
    assert "Say its days" in ended.stderr


def test_a_name_with_a_slash_is_still_one_name(linstock: Linstock, api: FakeApi) -> None:
    api.on("DELETE /calendars/a%2Fb", Answer(204))
    assert linstock("calendar", "rm", "a/b").exit_code == 0


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("--calendar", "holidays", "--calendar", "fair"), {"calendars": ["holidays", "fair"]}),
        (("--calendar", "none"), {"calendars": []}),
    ],
)
def test_a_schedule_is_told_calendars_by_name(
    linstock: Linstock, api: FakeApi, words: tuple[str, ...], body: dict[str, Any]
) -> None:
    api.on(f"GET /scheduledjobs/{SCHEDULE_ID}", Answer(200, schedule()))
    api.on(f"PATCH /scheduledjobs/{SCHEDULE_ID}", Answer(200, schedule() | body))
    ended = linstock("schedule", "set", SCHEDULE_ID, *words)
    assert ended.exit_code == 0, ended.output
    assert api.told(f"PATCH /scheduledjobs/{SCHEDULE_ID}") == [body]
    assert ("not on days of  holidays, fair" in ended.stdout) == bool(body["calendars"])


def test_of_a_schedule_with_calendars_the_server_says_what_is_next(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /scheduledjobs/{SCHEDULE_ID}", Answer(200, schedule() | {"calendars": ["holidays"]}))
    lines = linstock("schedule", "show", SCHEDULE_ID).stdout.splitlines()
    assert [line.split(None, 2)[2] for line in lines if line.startswith("next runs")] == [
        "Tue 2026-11-24 02:00:00 +0100"
    ]
