"""`linstock cron`: no server, and quick."""

import json

import pytest

from tests.unit.cli.conftest import Linstock


def test_next_prints_the_instants_strictly_after(linstock: Linstock) -> None:
    ended = linstock("cron", "next", "30 2 * * *", "--zone", "Europe/Berlin", "--from", "2026-03-29T00:00:00Z",
                     "--count", 3, "-o", "json", LINSTOCK_URL="http://127.0.0.1:1")  # fmt: skip
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
    again = linstock("cron", "next", "0 * * * *", "--from", "2026-03-29T02:00:00+02:00", "-n", "2", "-o", "jsonl")
    assert again.stdout == '"2026-03-29T01:00:00Z"\n"2026-03-29T02:00:00Z"\n'


def test_next_for_people_has_both_times(linstock: Linstock) -> None:
    ended = linstock("cron", "next", "0 2 * * *", "--zone", "Asia/Tokyo", "--from", "2026-03-29T00:00:00Z", "-n", "1")
    assert ended.stdout == "2026-03-29T17:00:00Z  Mon 2026-03-30 02:00:00 +0900\n"


def test_a_macro_is_what_it_stands_for(linstock: Linstock) -> None:
    ended = linstock("cron", "next", "@daily", "--from", "2026-03-29T00:00:00Z", "-n", "1", "-o", "json")
    assert json.loads(ended.stdout) == ["2026-03-30T00:00:00Z"]


@pytest.mark.parametrize("moment", ["tomorrow", "2026-03-29T00:00:00", "2026-13-01T00:00:00Z", ""])
def test_a_time_needs_its_offset(moment: str, linstock: Linstock) -> None:
    ended = linstock("cron", "next", "* * * * *", "--from", moment)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--from" in ended.stderr


@pytest.mark.parametrize("expression", ["", "* * * *", "0 0 31 2 *", "* " * 80, "a b c d e", "*/0 * * * *"])
def test_what_cannot_be_scheduled_is_said_in_a_line(expression: str, linstock: Linstock) -> None:
    for command in ("next", "explain"):
        ended = linstock("cron", command, expression)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert ended.stderr.startswith("Error: Invalid value for EXPR: ")


def test_explain_says_it_in_words_with_the_next_three(linstock: Linstock) -> None:
    lines = linstock("cron", "explain", "0 2 * * *", "--zone", "Europe/Berlin").stdout.splitlines()
    assert lines[0] == "At 02:00, every day, Europe/Berlin"
    assert len(lines) == 4
    found = json.loads(linstock("cron", "explain", "0 2 * * *", "-o", "json").stdout)
    assert (found["words"], len(found["next"])) == ("At 02:00, every day, UTC", 3)
