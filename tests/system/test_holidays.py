"""Holidays and a power cut, as a person at the command line goes through them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import Instance, linstock, started
from tests.support.waiting import until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data_dir = tmp_path_factory.mktemp("holidays") / "data"
    with started(data_dir) as instance:
        yield instance


def said(running: Instance, *words: str) -> Any:
    done = linstock(running.data_dir, *words, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def schedule(running: Instance, tmp_path_factory: pytest.TempPathFactory) -> str:
    library_id = running.create("Pictures", tmp_path_factory.mktemp("pictures"), autoScan=True, cronExpression="@daily")
    return str(until(lambda: running.schedule(library_id), "it has its schedule")["id"])


def test_nothing_fires_on_a_holiday_and_the_ledger_says_which(running: Instance, schedule: str, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    file = tmp_path / "days.txt"
    file.write_text("# around now\n" + "".join(f"{today + timedelta(days=each)}\n" for each in (-1, 0, 1)))
    assert said(running, "calendar", "set", "holidays", "--file", str(file))["dayCount"] == 3
    told = said(running, "schedule", "set", schedule, "--cron", "* * * * * *", "--calendar", "holidays")
    assert told["calendars"] == ["holidays"]
    assert told["nextRunAt"] == f"{today + timedelta(days=2)}T00:00:00Z"
    assert "holidays" in linstock(running.data_dir, "schedule", "show", schedule).stdout
    used = linstock(running.data_dir, "calendar", "rm", "holidays")
    assert (used.returncode, "1 schedule uses it" in used.stderr) == (5, True)

    # The command line may be faster than the schedule: only an instant that has passed gets a verdict.
    passed = datetime.fromisoformat(told["updatedAt"]) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > passed, "an instant has passed")
    said(running, "calendar", "set", "holidays", "--empty")

    def skipped() -> Any:
        rows = said(running, "schedule", "ticks", schedule, "--reason", "outside_window")
        return next((row for row in rows if row["calendar"] == "holidays"), None)

    row = until(skipped, "what passed has its verdict", 30)
    assert (row["verdict"], row["reason"]) == ("skipped", "outside_window")
    assert "calendar 'holidays' excludes" in row["explanation"]
    versions = said(running, "schedule", "versions", schedule)
    assert [each["calendars"] for each in versions][:2] == [["holidays"], ["holidays"]]
    said(running, "schedule", "set", schedule, "--cron", "@daily", "--calendar", "none")
    assert linstock(running.data_dir, "calendar", "rm", "holidays").returncode == 0
    assert said(running, "calendar", "ls") == []


def test_all_are_paused_and_resumed_at_once(running: Instance, schedule: str) -> None:
    name = running.get(f"/schedules/{schedule}")["name"]
    pause = ("schedule", "pause", "--all", "--reason", "power cut")
    assert said(running, *pause, "--dry-run") == {"matched": 1, "changed": 1, "names": [name], "dryRun": True}
    alone = linstock(running.data_dir, *pause)
    assert (alone.returncode, "add --yes to pause 1 schedule." in alone.stderr) == (2, True)
    assert said(running, *pause, "--yes")["changed"] == 1
    assert running.get(f"/schedules/{schedule}")["pauseReason"] == "power cut"
    assert said(running, "schedule", "resume", "--matching", "PICT", "--yes")["changed"] == 1
    assert running.get(f"/schedules/{schedule}")["isPaused"] is False
