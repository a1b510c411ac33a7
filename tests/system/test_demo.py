"""`make demo` as a newcomer runs it, and the commands on what it started."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.trees import put, put_broken_archive

Done = subprocess.CompletedProcess[str]
REPOSITORY = Path(__file__).parents[2]
SCRIPTS = ("Holidays/Lisbon", "Фотографии/Байкал", "照片/长城", "صور/القاهرة", "चित्र/हिमालय")


class Demo(NamedTuple):
    data_dir: Path
    first: Done

    def linstock(self, *words: object) -> Done:
        return run([sys.executable, "-m", "linstock", *map(str, words)], LINSTOCK_DATA_DIR=str(self.data_dir))

    def json(self, *words: object) -> Any:
        done = self.linstock(*words, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def run(argv: list[str], **environment: str) -> Done:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")}
    return subprocess.run(
        argv,
        cwd=REPOSITORY,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def make_demo(data_dir: Path) -> Done:
    return run(["make", "demo", f"ARGS=--data-dir '{data_dir}' --port 0", f"PYTHON={sys.executable}"])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data_dir = tmp_path_factory.mktemp("demo") / "a demo"
    started = Demo(data_dir, make_demo(data_dir))
    yield started
    started.linstock("down")


def test_it_shows_what_it_found_what_failed_and_why(demo: Demo) -> None:
    first = demo.first
    assert first.returncode == 0, first.stderr
    for name in SCRIPTS:
        assert name in first.stdout
    assert "Comics/Nautilus.cbz" in first.stdout
    assert "triggered by       Scheduler" in first.stdout
    assert "broken_archive" in first.stdout
    assert "Backup/half copied.zip" in first.stdout
    closed = "to root, as whom this runs, nothing is closed" if os.geteuid() == 0 else "unreadable"
    assert closed in first.stdout
    assert f"down --data-dir '{demo.data_dir}'" in first.stdout


def test_its_pictures_are_real_and_as_many_as_it_says(demo: Demo) -> None:
    from PIL import Image

    pictures = demo.data_dir / "pictures"
    images = [path for path in pictures.rglob("*.*") if path.suffix not in (".zip", ".cbz")]
    assert len(images) == 60
    for path in images:
        with Image.open(path) as image:
            image.verify()
    assert demo.json("lib", "show", "Demo")["name"] == "Demo"
    assert demo.json("run", "ls")[0]["status"] in ("Completed", "Running", "Pending")


def test_a_second_time_it_goes_on_where_it_was(demo: Demo) -> None:
    before = demo.json("lib", "ls")
    again = make_demo(demo.data_dir)
    assert again.returncode == 0, again.stderr
    assert "broken_archive" in again.stdout
    assert demo.json("lib", "ls")[0]["id"] == before[0]["id"]
    assert len(demo.json("lib", "ls")) == len(before) == 1


def test_a_library_from_beginning_to_end(demo: Demo, tmp_path: Path) -> None:
    put(tmp_path, "Summer/a.png", "Summer/b.png")
    put_broken_archive(tmp_path / "Summer" / "broken.zip")
    added = demo.linstock("lib", "add", tmp_path / "Summer", "--cron", "0 3 * * *", "--zone", "Europe/Berlin", "--wait")
    assert added.returncode == 0, added.stderr
    assert "1 collection, 2 images" in added.stdout
    assert "broken_archive  broken.zip" in added.stdout
    twice = demo.linstock("lib", "add", tmp_path / "Summer")
    assert twice.returncode == 5
    assert "is a library already: Summer" in twice.stderr
    library = demo.json("lib", "set", "Summer", "--description", "Sun")
    assert library["description"] == "Sun"
    assert "At 03:00, every day, Europe/Berlin" in demo.linstock("lib", "show", library["id"][:8]).stdout
    assert demo.json("lib", "scan", "Summer", "--wait")["status"] == "Completed"
    gone = demo.linstock("lib", "rm", "Summer", "--yes")
    assert (gone.returncode, gone.stderr) == (0, "Removed Summer.\n")
    assert demo.linstock("lib", "show", "Summer").returncode == 4


def test_a_schedule_is_paused_resumed_and_triggered(demo: Demo) -> None:
    name = demo.json("schedule", "ls")[0]["name"]
    assert demo.json("schedule", "pause", name, "--reason", "tea")["pauseReason"] == "tea"
    assert demo.json("schedule", "resume", name)["isPaused"] is False
    assert demo.json("schedule", "disable", name)["isEnabled"] is False
    assert demo.json("schedule", "enable", name)["isEnabled"] is True
    assert demo.json("schedule", "set", name, "--overlap", "buffer_one")["overlapPolicy"] == "buffer_one"
    run = demo.json("schedule", "trigger", name, "--wait")
    assert run["status"] == "Completed"
    assert demo.json("run", "show", run["id"][:8])["id"] == run["id"]


def test_a_deep_scan_opens_every_archive_again(demo: Demo) -> None:
    scan = demo.json("lib", "scan", "Demo", "--deep", "--wait")
    assert (scan["status"], scan["counts"]["collections"]) == ("Completed", 11)


def test_thumbnails_that_nobody_has_as_a_cover_are_looked_for(demo: Demo) -> None:
    run = demo.json("maintenance", "thumbnails", "--dry-run")
    assert (run["status"], run["jobType"], run["result"]["objects"]) == ("Completed", "CleanThumbnails", 0)
    said = demo.linstock("maintenance", "thumbnails", "--wait")
    assert said.returncode == 0, said.stderr
    assert "removed" in said.stdout
    assert "in use" in said.stdout
    by_hand = [
        each["id"] for each in demo.json("run", "ls", "--type", "CleanThumbnails") if each["triggeredBy"] == "API"
    ]
    assert run["id"] in by_hand


def test_events_are_shown_and_followed(demo: Demo) -> None:
    newest = demo.json("events", "tail", "-n", "3")
    assert len(newest) == 3
    assert demo.json("events", "show", newest[0]["id"])["id"] == newest[0]["id"]
    argv = [sys.executable, "-m", "linstock", "events", "tail", "-f", "-n", "1", "-o", "jsonl"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LINSTOCK_DATA_DIR": str(demo.data_dir)}) as following:  # fmt: skip
        assert following.stdout
        first = json.loads(following.stdout.readline())
        demo.linstock("lib", "scan", "Demo", "--wait")
        seen = [json.loads(following.stdout.readline()) for _ in range(2)]
        following.terminate()
    places = [(each["log"], each["position"]) for each in (first, *seen)]
    assert len(set(places)) == 3


def test_doctor_finds_all_of_it_well(demo: Demo) -> None:
    found = {row["check"]: row for row in demo.json("doctor")}
    services = {"library", "scheduler", "scanner", "projection", "api"}
    assert services | {"nats", "postgres", "clock", "read models", "access", "libraries"} < set(found)
    assert found["read models"]["found"].startswith("events behind: ")
    assert "Postgres's is" in found["clock"]["found"]
    assert found["access"]["found"] == "127.0.0.1 only, without a token"
