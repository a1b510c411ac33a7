"""`linstock schedule pause | resume` for many."""

import json

import pytest

from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, SCHEDULE_ID, library

PAUSE, RESUME = "POST /scheduledjobs/pause", "POST /scheduledjobs/resume"
TWELVE = {"matched": 14, "changed": 12, "names": ["Deep", "Library Scan - Holidays"], "dryRun": False}


@pytest.fixture
def many(api: FakeApi) -> FakeApi:
    """A server with a library and a dozen schedules."""
    api.on("GET /libraries", page(library()))
    for what in (PAUSE, RESUME):
        api.on(what, lambda asked: Answer(200, TWELVE | {"dryRun": asked.body.get("dryRun", False)}))
    return api


def test_all_of_a_library_with_a_reason(linstock: Linstock, many: FakeApi) -> None:
    ended = linstock("schedule", "pause", "--library", "Holidays", "--reason", "disk swap", "--until",
                     "2026-12-01T00:00:00Z", "--yes")  # fmt: skip
    assert ended.exit_code == 0, ended.output
    body = {"reason": "disk swap", "resumeAt": "2026-12-01T00:00:00+00:00", "libraryId": LIBRARY_ID}
    assert many.told(PAUSE) == [body | {"dryRun": True}, body]
    assert ended.stdout == "meant   14\npaused  12\nthese   Deep, Library Scan - Holidays, …\n"


def test_a_dry_run_changes_nothing(linstock: Linstock, many: FakeApi) -> None:
    ended = linstock("schedule", "resume", "--matching", "holi", "--dry-run", "-o", "json")
    assert json.loads(ended.stdout) == TWELVE | {"dryRun": True}
    assert many.told(RESUME) == [{"text": "holi", "dryRun": True}]


def test_nobody_there_to_be_asked(linstock: Linstock, many: FakeApi) -> None:
    ended = linstock("schedule", "pause", "--all")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "add --yes to pause 12 schedules" in ended.stderr
    assert many.told(PAUSE) == [{"all": True, "dryRun": True}]


def test_where_nothing_changes_nobody_is_asked(linstock: Linstock, many: FakeApi) -> None:
    many.on(PAUSE, Answer(200, {"matched": 2, "changed": 0, "names": [], "dryRun": True}))
    ended = linstock("schedule", "pause", "--all")
    assert ended.stdout == "meant        2\nwould pause  0\n"
    assert len(many.told(PAUSE)) == 1


@pytest.mark.parametrize(
    "words", [(), (SCHEDULE_ID, "--all"), ("--all", "--matching", "x"), (SCHEDULE_ID, "--dry-run")]
)
def test_one_or_many_is_said(linstock: Linstock, many: FakeApi, words: tuple[str, ...]) -> None:
    for what in ("pause", "resume"):
        ended = linstock("schedule", what, *words)
        assert (ended.exit_code, ended.stdout) == (2, ""), ended.output
    assert many.asked == []
