"""Watching real folders: by inotify, and by looking."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linstock.messages.watching import INOTIFY, OFF, POLLING
from linstock.roots import EVERYWHERE, AllowedRoots
from services.scanner.ignores import NAME as IGNORE_FILE
from services.scanner.scope import Scope
from services.scanner.watching import place, relevant, watcher
from services.scanner.watching.polling import FolderTimes
from services.scanner.watching.settling import MOST_FOLDERS, MOST_PATHS, Settling, Status
from services.scanner.watching.watcher import Pace, Watcher
from tests.support.waiting import until

QUICK = Pace(quiet_s=0.3, between_s=0.1, poll_s=0.1, again_s=0.1, tick_s=0.05)


class Watch:
    """A watcher, and what it has said. `deaf`: nobody takes what it says."""

    def __init__(self, root: Path, scope: Scope | None = None, roots: AllowedRoots = EVERYWHERE) -> None:
        self.said: list[str] = []
        self.deaf = False
        self.watcher = Watcher(os.fsencode(root), scope or Scope(), self._hear, roots=roots, pace=QUICK)
        self.watcher.start()

    def _hear(self, paths: list[bytes]) -> bool:
        if not self.deaf:
            self.said += [os.fsdecode(path) for path in paths]
        return not self.deaf

    def by(self, mode: str) -> str:
        """Once it watches so; why."""
        until(lambda: self.watcher.status.mode == mode, f"watching by {mode}")
        return self.watcher.status.reason

    def says(self, *paths: str) -> None:
        until(lambda: set(paths) <= set(self.said), f"{paths} in {self.said}")


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    started: list[Watch] = []
    yield started
    for each in started:
        each.watcher.stop()


@pytest.fixture
def told(tmp_path: Path, watches: list[Watch]) -> Watch:
    (tmp_path / "a").mkdir()
    watches.append(Watch(tmp_path))
    watches[0].by(INOTIFY)
    return watches[0]


def test_what_is_made_changed_renamed_and_removed_is_told(told: Watch, tmp_path: Path) -> None:
    (tmp_path / "a/1.jpg").write_bytes(b"1")
    told.says("a/1.jpg")
    told.said.clear()
    (tmp_path / "a/1.jpg").rename(tmp_path / "a/2.jpg")
    told.says("a/1.jpg", "a/2.jpg")
    told.said.clear()
    (tmp_path / "a/2.jpg").unlink()
    told.says("a/2.jpg")
    assert told.watcher.status.reason == ""


def test_deep_folders_made_at_once_are_told_with_all_that_is_in_them(told: Watch, tmp_path: Path) -> None:
    deep = tmp_path / "x/y/z"
    deep.mkdir(parents=True)
    (deep / "1.jpg").write_bytes(b"1")
    told.says("x")
    told.said.clear()
    (deep / "2.jpg").write_bytes(b"2")  # and is watched from then on
    told.says("x/y/z/2.jpg")


def test_a_folder_that_is_removed_is_told_as_the_one_that_it_was_in(told: Watch, tmp_path: Path) -> None:
    (tmp_path / "a/gone").mkdir()
    told.says("a/gone")
    (tmp_path / "a/gone").rmdir()
    told.says("a")


def test_what_is_still_written_waits(told: Watch, tmp_path: Path) -> None:
    with (tmp_path / "a/slow.jpg").open("wb") as file:
        ends = time.monotonic() + 4 * QUICK.quiet_s
        while time.monotonic() < ends:
            file.write(b"more")
            file.flush()
            (tmp_path / "other").mkdir(exist_ok=True)  # the watch goes on meanwhile
            assert "a/slow.jpg" not in told.said
    told.says("a/slow.jpg", "other")


def test_what_is_no_picture_and_what_is_left_out_is_not_told(tmp_path: Path, watches: list[Watch]) -> None:
    (tmp_path / "out").mkdir()
    watches.append(Watch(tmp_path, Scope(exclude_patterns=["out/", "*.png"])))
    watches[0].by(INOTIFY)
    for name in ("notes.txt", "out/1.jpg", "1.png", ".1.jpg.Xy12ab", "last.jpg"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / ".1.jpg.Xy12ab").unlink()
    watches[0].says("last.jpg")
    assert watches[0].said == ["last.jpg"]


def test_what_nobody_has_taken_is_told_again(told: Watch, tmp_path: Path) -> None:
    told.deaf = True
    (tmp_path / "a/1.jpg").write_bytes(b"1")
    until(lambda: told.watcher._unsent, "a hint that nobody takes")
    told.deaf = False
    told.says("a/1.jpg")


def test_a_folder_that_is_away_is_watched_again_when_it_is_back(told: Watch, tmp_path: Path) -> None:
    away = tmp_path.rename(tmp_path.with_name("away"))
    assert "No such file" in told.by(OFF)
    away.rename(tmp_path)
    told.by(INOTIFY)
    (tmp_path / "a/1.jpg").write_bytes(b"1")
    told.says("a/1.jpg")


def test_nothing_is_watched_outside_of_what_is_allowed(tmp_path: Path, watches: list[Watch]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    watches.append(Watch(tmp_path / "in/link", roots=AllowedRoots([tmp_path / "in"])))
    until(lambda: "can't be watched" in watches[0].watcher.status.reason, "a refusal")
    assert watches[0].watcher.status.mode == OFF


def test_where_the_system_has_no_watches_left_folders_are_polled_and_it_says_what_to_raise(
    tmp_path: Path, watches: list[Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watcher, "watch", full)
    watches.append(Watch(tmp_path))
    assert "fs.inotify.max_user_watches" in watches[0].by(POLLING)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/1.jpg").write_bytes(b"1")
    watches[0].says("new")


def test_network_file_systems_are_polled(tmp_path: Path, watches: list[Watch], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "file_system", lambda *_: "nfs4")
    watches.append(Watch(tmp_path))
    assert "nfs4" in watches[0].by(POLLING)


MOUNTS = r"""
22 1 0:20 / / rw - ext4 /dev/sda rw
40 22 0:31 / /mnt/nas rw,relatime shared:1 - nfs4 nas:/export rw
41 22 0:32 / /mnt/my\040disk rw - fuse.sshfs host: rw
42 40 0:33 / /mnt/nas/local rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "works"),
    [
        ("/srv", "ext4", True),
        ("/mnt/nas", "nfs4", False),
        ("/mnt/nas/a", "nfs4", False),
        ("/mnt/nas2", "ext4", True),
        ("/mnt/nas/local/a", "xfs", True),
        ("/mnt/my disk/a", "fuse.sshfs", False),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(path: str, kind: str, *, works: bool) -> None:
    assert place.file_system(path.encode(), MOUNTS) == kind
    assert (place.why_not(path.encode(), MOUNTS) == "") is works


def test_a_look_at_folders_tells_which_have_changed(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    times = FolderTimes(os.fsencode(tmp_path), Scope(exclude_patterns=["out/"]))

    def look() -> list[bytes]:
        return times.look(lambda: False)

    assert (look(), look()) == ([], [])
    os.utime(tmp_path / "a/b", (1, 1))
    os.utime(tmp_path / "out", (1, 1))
    assert look() == [b"a/b"]
    (tmp_path / "a/b").rmdir()
    os.utime(tmp_path / "a", (2, 2))
    assert look() == [b"a", b"a/b"]


def test_nothing_is_at_rest_before_two_looks_agree() -> None:
    disk: dict[bytes, Status] = {b"a/1.jpg": (1, 1)}
    settling = Settling(quiet_s=5, between_s=1)
    settling.saw([b"a/1.jpg"], 0)
    assert settling.settled(4.9, disk.get) == []
    assert settling.settled(5, disk.get) == []
    disk[b"a/1.jpg"] = (2, 2)  # and nothing told of it
    assert settling.settled(6, disk.get) == []
    assert settling.settled(7, disk.get) == [b"a/1.jpg"]
    assert settling.settled(99, disk.get) == []


def test_each_folder_has_a_rest_of_its_own() -> None:
    settling = Settling(quiet_s=5, between_s=1)
    settling.saw([b"a/1.jpg", b"b/1.jpg"], 0)
    settling.saw([b"b/2.jpg"], 4)
    assert settling.settled(5, lambda _: None) == []
    assert settling.settled(6, lambda _: None) == [b"a/1.jpg"]


def test_what_is_much_is_told_as_less() -> None:
    settling = Settling(quiet_s=0, between_s=0)
    settling.saw([b"a/%d.jpg" % number for number in range(MOST_PATHS + 1)], 0)
    settling.settled(0, lambda _: None)
    assert settling.settled(0, lambda _: None) == [b"a"]
    settling.saw([b"%d/1.jpg" % number for number in range(MOST_FOLDERS + 1)], 0)
    settling.settled(0, lambda _: None)
    assert settling.settled(0, lambda _: None) == [b""]


def test_an_ignore_file_speaks_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = b"a/" + IGNORE_FILE.encode()
    assert relevant.is_relevant(os.fsencode(tmp_path), path)
    assert relevant.hinted(os.fsencode(tmp_path), path) == b"a"
