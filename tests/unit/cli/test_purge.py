"""Forgetting what is missing, as a person is told of it."""

from typing import Any

from tests.support.fake_api import Answer, FakeApi
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, OTHER_ID, library

URL = f"POST /libraries/{LIBRARY_ID}/missing/purge"
SINCE = "2026-08-25T10:00:00Z"


def purged(*, dry_run: bool) -> dict[str, Any]:
    return {"libraryId": LIBRARY_ID, "dryRun": dry_run, "missingBefore": SINCE, "collections": 1, "images": 4}


def test_it_says_how_much(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(URL, Answer(200, purged(dry_run=True)))
    ended = linstock("lib", "purge", LIBRARY_ID, "--older-than", "90", "--dry-run")
    assert ended.exit_code == 0
    assert "would be forgotten" in ended.stdout
    assert "1 collection and 4 images in others" in ended.stdout
    assert api.told(URL) == [{"olderThanDays": 90, "dryRun": True}]


def test_one_that_takes_longer_is_told_as_well(linstock: Linstock, api: FakeApi) -> None:
    counts = {"missingBefore": SINCE, "collections": 1, "images": 4}
    answer = {"status": 200, "purged": counts}
    operation = {"id": OTHER_ID, "status": "done", "command": "PurgeMissing", "answer": answer}
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(URL, Answer(202, {"id": OTHER_ID, "status": "pending", "command": None}))
    api.on(f"GET /operations/{OTHER_ID}", Answer(200, operation))
    ended = linstock("lib", "purge", LIBRARY_ID, "--yes")
    assert "1 collection and 4 images in others" in ended.stdout
