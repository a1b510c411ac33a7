"""What scans changed, as a person reads it."""

from typing import Any

from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import OTHER_ID, RUN_ID, run, scan


def change(kind: str, path: str, before: int, after: int) -> dict[str, Any]:
    return {
        "collectionId": OTHER_ID, "kind": kind, "collectionKind": "folder", "path": path, "imagesBefore": before,
        "images": after, "bytesBefore": before * 1000, "bytes": after * 1000, "at": "2026-11-23T07:03:25Z",
    }  # fmt: skip


def test_changes_of_a_run(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    api.on(f"GET /scans/{RUN_ID}/changes", page(change("added", "2024/Rome", 0, 12), change("changed", "", 3, 4)))
    ended = linstock("run", "changes", RUN_ID)
    assert ended.exit_code == 0
    assert [line.split() for line in ended.stdout.splitlines()] == [
        ["WHAT", "COLLECTION", "KIND", "IMAGES", "SIZE"],
        ["added", "2024/Rome", "folder", "0", "→", "12", "0", "B", "→", "12.0", "kB"],
        ["changed", ".", "folder", "3", "→", "4", "3.0", "kB", "→", "4.0", "kB"],
    ]


def test_a_difference_names_the_earlier_run(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    api.on(f"GET /runs/{OTHER_ID}", Answer(200, run() | {"id": OTHER_ID}))
    api.on(f"GET /scans/{RUN_ID}/diff", page())
    ended = linstock("run", "diff", OTHER_ID, RUN_ID, "--kind", "missing")
    assert (ended.exit_code, ended.stderr.strip()) == (0, "Nothing changed.")
    (asked,) = [each for each in api.asked if each.path.endswith("/diff")]
    assert (asked.query["against"], asked.query["kind"]) == (OTHER_ID, "missing")


def test_a_run_says_how_it_looked(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    shown = scan(scanMode="quick", dryRun=True, scope=[{"path": "2024/Rome"}])
    api.on(f"GET /scans/{RUN_ID}", Answer(200, shown))
    said = linstock("run", "show", RUN_ID).stdout
    assert "quick" in said
    assert "2024/Rome" in said
    assert "linstock run changes 31e31418" in said
