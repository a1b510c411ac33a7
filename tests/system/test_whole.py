"""All of it, as a person runs it: `linstock up` with the real services, HTTP from outside, files on disk."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.instance import Instance, Json, linstock
from tests.support.pictures import picture, zipped
from tests.support.trees import put, put_archive, put_broken_archive
from tests.support.waiting import until

EVERY_SECOND = "* * * * * *"
NEVER_MIND_WHEN = "0 2 * * *"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "Bilder 写真"
    put(root, "cover.PNG", "2024/a.jpg", "2024/b.JPEG", "2024/deep/er/c.gif", "Été/д.webp")
    put_archive(root / "comics" / "one.cbz", "01.png", "02.png")
    put_archive(root / "comics" / "texts.zip", "readme.txt")
    put_broken_archive(root / "comics" / "broken.zip")
    (root / "notes").mkdir()
    (root / "notes" / "readme.txt").write_text("no image here")
    return root


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Instance]:
    """One instance for all tests of this file: each has libraries of its own."""
    data_dir = tmp_path_factory.mktemp("up") / "data"
    started = linstock(data_dir, "up", "--detach", "--port", "0", str(pictures))
    try:
        assert started.returncode == 0, started.stderr
        instance = Instance(data_dir, started.stdout.splitlines()[-1])
        with instance.http:
            yield instance
    finally:
        stopped = linstock(data_dir, "down")
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "root", "a/1.jpg", "b/2.jpg")
    return tmp_path / "root"


def test_a_path_given_at_the_start_is_a_library_that_was_scanned_at_once(running: Instance, pictures: Path) -> None:
    (library,) = (each for each in running.get("/libraries")["data"] if each["path"] == str(pictures))
    found = until(lambda: running.collections(library["id"]) or None, "collections are there")
    assert {path: (each["kind"], each["imageCount"], each["state"]) for path, each in found.items()} == {
        "": ("folder", 1, "present"),
        "2024": ("folder", 2, "present"),
        "2024/deep/er": ("folder", 1, "present"),
        "Été": ("folder", 1, "present"),
        "comics/one.cbz": ("archive", 2, "present"),
    }
    (scan,) = running.get(f"/libraries/{library['id']}/scans")["data"]
    ended = running.ended(scan["id"])
    assert (ended["status"], ended["removals"]) == ("Completed", "none")
    assert [item["path"] for item in ended["report"] if item["code"] == "broken_archive"] == ["comics/broken.zip"]


def test_a_cron_tick_becomes_a_scan_becomes_a_row(running: Instance, root: Path) -> None:
    library = running.create("Ticking", root, autoScan=True, cronExpression=EVERY_SECOND)
    schedule = running.schedule(library)
    assert (schedule["isEnabled"], schedule["cronExpression"]) == (True, EVERY_SECOND)

    def completed() -> list[Json] | None:
        runs = [run for run in running.runs(schedule["id"]) if run["status"] == "Completed"]
        return runs if len(runs) >= 3 else None

    runs = until(completed, "three runs completed", 30)
    assert {run["triggeredBy"] for run in runs} == {"Scheduler"}
    assert set(running.collections(library)) == {"a", "b"}
    assert running.http.delete(f"/libraries/{library}").status_code == 204


def test_auto_scan_off_disables_within_a_second_and_keeps_history_and_deleting_keeps_runs(
    running: Instance, root: Path
) -> None:
    library = running.create("Switched", root, autoScan=True, cronExpression=NEVER_MIND_WHEN)
    schedule = running.schedule(library)
    scan = running.scanned(library)
    assert running.http.patch(f"/libraries/{library}", json={"autoScan": False}).status_code == 200
    until(lambda: not running.schedule(library)["isEnabled"], "the schedule is disabled", 1.5)
    assert [run["id"] for run in running.runs(schedule["id"])] == [scan["id"]]
    assert running.http.patch(f"/libraries/{library}", json={"autoScan": True}).status_code == 200
    until(lambda: running.schedule(library)["isEnabled"], "the schedule is enabled", 1.5)
    assert running.http.delete(f"/libraries/{library}").status_code == 204
    until(lambda: running.http.get(f"/scheduledjobs/library/{library}").status_code == 404, "the schedule is gone", 5)
    assert running.get(f"/scans/{scan['id']}")["status"] == "Completed"
    assert [run["id"] for run in running.runs(schedule["id"])] == [scan["id"]]


def test_an_empty_root_holds_removals_until_content_is_seen_again(running: Instance, root: Path) -> None:
    library = running.create("Unplugged", root)
    assert running.scanned(library)["counts"]["collections"] == 2
    away = root.rename(root.with_name("away"))
    root.mkdir()
    held = running.scanned(library)
    assert (held["status"], held["removals"]) == ("Completed", "held")
    assert {each["state"] for each in running.collections(library).values()} == {"present"}
    root.rmdir()
    away.rename(root)
    again = running.scanned(library)
    assert (again["status"], again["removals"], again["counts"]["unchanged"]) == ("Completed", "none", 2)
    until(lambda: running.get(f"/scans/{held['id']}")["removals"] == "none", "the hold is settled")


def test_held_removals_are_approved_and_come_back_by_themselves(running: Instance, root: Path) -> None:
    library = running.create("Emptied", root)
    assert running.scanned(library)["counts"]["collections"] == 2
    paths = set(running.collections(library))
    away = root.rename(root.with_name("away"))
    root.mkdir()
    held = running.scanned(library)
    waiting = running.get(f"/libraries/{library}")["heldRemovals"]
    assert (waiting["scanId"], waiting["count"], waiting["reason"]) == (held["id"], 2, "empty_root")
    where = f"/libraries/{library}/removals"
    assert {each["path"] for each in running.get(where)["data"]} == paths
    approved = running.http.post(f"{where}/{held['id']}/approve")
    assert (approved.status_code, approved.json()["heldRemovals"]) == (200, None)
    assert {each["state"] for each in running.collections(library).values()} == {"missing"}
    assert running.http.post(f"{where}/{held['id']}/reject").status_code == 404
    root.rmdir()
    away.rename(root)
    assert running.scanned(library)["counts"]["restored"] == 2
    assert {each["state"] for each in running.collections(library).values()} == {"present"}


@pytest.mark.parametrize("what", ["missing", "file"])
def test_a_root_that_is_missing_or_no_directory_fails_for_good_and_says_so(
    running: Instance, tmp_path: Path, what: str
) -> None:
    if what == "file":
        (tmp_path / what).write_text("not a directory")
    library = running.create(what, tmp_path / what)
    scan = running.scanned(library)
    assert (scan["status"], scan["attempt"]) == ("Failed", 1)
    assert str(tmp_path / what) in scan["errorMessage"]


def test_the_same_key_creates_one_library(running: Instance, root: Path) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"name": "Once", "path": str(root)}
    made = {running.made(running.http.post("/libraries", json=body, headers=headers)) for _ in range(3)}
    assert len(made) == 1
    named = [each for each in running.get("/libraries?pageSize=200")["data"] if each["name"] == "Once"]
    assert [each["id"] for each in named] == list(made)


def test_a_scanner_killed_in_the_middle_of_a_scan_does_it_again(running: Instance, tmp_path: Path) -> None:
    root = tmp_path / "large"
    for folder in range(300):
        put(root, *(f"{folder:03}/{image}.jpg" for image in range(20)))
    library = running.create("Killed", root)
    before = running.pid("scanner")
    asked = running.scan(library)
    until(lambda: running.http.get(f"/scans/{asked}").json()["status"] == "Running", "the scan runs")
    os.kill(before, signal.SIGKILL)
    until(lambda: running.pid("scanner") not in (before, None), "the scanner is started again")
    # 9 s are promised from the kill; the rest is for a process to start on a busy machine.
    until(lambda: running.get(f"/scans/{asked}")["attempt"] == 2, "it is run again", 15)
    scan = running.ended(asked, within_s=30)
    assert scan["status"] == "Completed"
    assert len(running.collections(library)) == 200  # the first page
    assert running.get(f"/libraries/{library}/collections?pageSize=1")["totalCount"] == 300


def test_afterwards_events_and_read_models_say_what_postgres_says(running: Instance) -> None:
    def passes(*words: str) -> Callable[[], bool]:
        return lambda: running.command(*words).returncode == 0

    until(passes("events", "verify"), "EVENTS is what Postgres has", 30)
    until(passes("projection", "verify"), "the read models are what the events say", 30)


def test_what_a_scan_found_is_read_and_shown(running: Instance, tmp_path: Path) -> None:
    root = tmp_path / "read"
    (root / "a").mkdir(parents=True)
    (root / "a" / "1.jpg").write_bytes(picture("JPEG", (1200, 800)))
    (root / "a" / "2.jpg").write_bytes(picture("JPEG", (1200, 800))[:-500])
    zipped(root / "book.cbz", {"1.png": picture("PNG", (300, 600))})
    library = running.create("Read", root)
    running.ended(running.scan(library))

    def read() -> Json | None:
        statistics: Json = running.get(f"/libraries/{library}/statistics")
        return statistics if statistics["readCollections"] == 2 else None

    statistics = until(read, "both collections are read", 30)
    assert (statistics["covers"], statistics["quarantinedFiles"], statistics["runs"]) == (2, 1, 1)
    for collection, size in zip(sorted(running.collections(library)), ((1200, 800), (300, 600)), strict=True):
        cover = running.collections(library)[collection]["cover"]
        assert (cover["width"], cover["height"]) == size
        answer = running.http.get(cover["url"].removeprefix("/api/v1"))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    [broken] = running.get(f"/libraries/{library}/quarantine")["data"]
    assert (broken["path"], broken["code"]) == ("a/2.jpg", "corrupt")

    def ended() -> Json | None:
        [run] = running.get(f"/runs?jobType=Enrich&libraryId={library}")["data"]
        found: Json = run
        return found if run["completedAt"] else None

    run = until(ended, "the run has ended", 30)
    assert run["result"] == {"collections": 2, "images": 2, "covers": 2, "quarantined": 1, "passedOver": 0}
    assert len(running.get(f"/libraries/{library}/scans")["data"]) == 1
