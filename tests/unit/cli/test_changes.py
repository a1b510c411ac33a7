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


def undone(**counts: int) -> dict[str, Any]:
    nothing = {"withdrawn": 0, "changed": 0, "restored": 0, "missing": 0, "leftAlone": 0}
    return {"scanId": RUN_ID, "dryRun": False, **nothing, **counts}


def test_an_undo_says_what_it_did(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    api.on(f"POST /scans/{RUN_ID}/undo", Answer(200, undone(withdrawn=2, restored=1, leftAlone=3)))
    ended = linstock("run", "undo", RUN_ID, "--yes")
    assert ended.exit_code == 0
    said = "2 collections withdrawn, 1 collection present again, 3 collections left alone: a later scan touched them."
    assert said in ended.stdout
    assert api.told(f"POST /scans/{RUN_ID}/undo") == [{"dryRun": False}]


def test_an_undo_that_takes_longer_is_told_as_well(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    counts = {name: value for name, value in undone(changed=1).items() if isinstance(value, int)}
    answer = {"status": 200, "undone": counts}
    operation = {"id": OTHER_ID, "status": "done", "command": "UndoScan", "answer": answer}
    api.on(f"POST /scans/{RUN_ID}/undo", Answer(202, {"id": OTHER_ID, "status": "pending", "command": None}))
    api.on(f"GET /operations/{OTHER_ID}", Answer(200, operation))
    ended = linstock("run", "undo", RUN_ID, "--yes")
    assert "1 collection put back." in ended.stdout


def test_nobody_is_asked_where_nobody_is(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    ended = linstock("run", "undo", RUN_ID)
    assert (ended.exit_code, api.told(f"POST /scans/{RUN_ID}/undo")) == (2, [])
    assert "add --yes, or --dry-run" in ended.stderr
