"""What `up` is asked for, and asks of itself in the background."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.up import command, start
from services.up.launch import Launch


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Launch]:
    launches: list[Launch] = []

    def up(launch: Launch, **_: Any) -> None:
        launches.append(launch)

    monkeypatch.setattr(start, "up", up)
    return launches


def test_the_words_of_a_launch_ask_for_the_same(asked: list[Launch], tmp_path: Path) -> None:
    launch = Launch(
        paths=(tmp_path / "-pictures",),
        port=0,
        host="::1",
        log_format="json",
        require_token=True,
        allow_roots=(tmp_path, Path("/mnt")),
        retention_days=7,
    )
    assert CliRunner().invoke(command.up, launch.words()).exit_code == 0
    assert asked == [launch]


@pytest.mark.parametrize(("days", "exit_code"), [("7", 0), ("36500", 0), ("0", 2), ("36501", 2), ("abc", 2)])
def test_days_to_keep_details_are_checked_before_anything_starts(
    days: str, exit_code: int, asked: list[Launch]
) -> None:
    ended = CliRunner().invoke(command.up, [], env={"LINSTOCK_RETENTION_DAYS": days})
    assert ended.exit_code == exit_code
    assert [launch.retention_days for launch in asked] == ([int(days)] if exit_code == 0 else [])
