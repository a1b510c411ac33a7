"""A library of 300,000 images in 5,000 folders: the first scan, ones that find nothing new and one that finds a little,
beside `find` on the same tree in the same minute, everything started by `linstock up`, as a user would."""

import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from tests.bench.figure import Figure

FOLDERS = 5_000
IMAGES = 60
FILES = FOLDERS * IMAGES
READY_WITHIN_S = 60
ENDED_WITHIN_S = 300
LOOK_EVERY_S = 0.02


def scan(folder: Path, *, repetitions: int) -> list[Figure]:
    """Multiples of `find`: the first scan, from POST to the last row visible over HTTP; unchanged ones and one after
    every hundredth file was changed, from POST to Completed. Bytes per file: what the scanner's peak memory grows by.
    Every first scan is a new instance's; what other tools take is told beside it, where they are installed."""
    tree = folder / "tree"
    _generate(tree)
    finds = _Finds(tree)
    firsts, changeds, quicks, edits, growths = [], [], [], [], []
    for repetition in range(repetitions):
        with _running(folder / f"data-{repetition}") as (http, scanner):
            library = _created(http, tree)
            finds.look()
            with _Peak(scanner) as peak:
                first = _first_scan_s(http, library)
            firsts.append(finds.times(first))
            growths.append(peak.growth_bytes / FILES)
            changeds.append(finds.times(_rescan_s(http, library)))
            quicks.append(finds.times(_rescan_s(http, library, mode="quick")))
            changed_folders = _change_one_percent(tree, repetition)
            edits.append(finds.times(_rescan_s(http, library, changed=changed_folders)))
    reference = f"find of the same {FILES:,} files, s"

    def beside_find(name: str, samples: list[float], at_most: float) -> Figure:
        return Figure(name=name, unit="× find", samples=samples, at_most=at_most,
                      reference=reference, reference_samples=finds.samples)  # fmt: skip

    return [
        beside_find("first scan to its last row over HTTP", firsts, 6),
        beside_find("unchanged rescan to Completed over HTTP", changeds, 2.6),
        beside_find("unchanged quick scan to Completed over HTTP", quicks, 0.25),
        beside_find("rescan after every 100th file changed", edits, 3),
        Figure(name="scanner's memory", unit="bytes/file", samples=growths, at_most=150),
        *_other_tools(folder, tree, repetitions),
    ]


class _Finds:
    """What `find` takes right before and right after something else."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self.samples: list[float] = []

    def look(self) -> None:
        self.samples.append(_find_s(self._tree))

    def times(self, spent_s: float) -> float:
        """As a multiple of the mean of both."""
        self.look()
        return spent_s / statistics.mean(self.samples[-2:])


def _change_one_percent(tree: Path, repetition: int) -> int:
    """Every hundredth file; in how many folders."""
    changed = [divmod(number, IMAGES) for number in range(0, FILES, 100)]
    for folder, image in changed:
        os.truncate(_image(tree, folder, image), repetition + 1)
    return len({folder for folder, _ in changed})


def _other_tools(folder: Path, tree: Path, repetitions: int) -> list[Figure]:
    """What they take to find nothing new in the same tree, in seconds; only those that are installed."""
    figures = []
    if shutil.which("git"):
        git = ["git", "--git-dir", str(folder / "git"), "--work-tree", str(tree)]
        for words in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run([*git, *words], check=True, stdout=subprocess.DEVNULL)
        samples = [_command_s([*git, "status", "--porcelain"]) for _ in range(repetitions)]
        figures.append(Figure(name="git status of the same files", unit="s", samples=samples))
    if shutil.which("rsync"):
        copy = folder / "copy"
        subprocess.run(["cp", "-a", str(tree), str(copy)], check=True)
        samples = [_command_s(["rsync", "-an", f"{tree}/", f"{copy}/"]) for _ in range(repetitions)]
        figures.append(Figure(name="rsync -an of the same files", unit="s", samples=samples))
    return figures


def _command_s(command: list[str]) -> float:
    """The median of three."""
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def _generate(tree: Path) -> None:
    for number in range(FOLDERS):
        folder = _image(tree, number, 0).parent
        folder.mkdir(parents=True)
        at = os.open(folder, os.O_RDONLY)
        for image in range(IMAGES):
            os.close(os.open(f"IMG_{image:04}.JPG", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        os.close(at)
    os.sync()  # or the disk is busy with it for the first minute


def _image(tree: Path, folder: int, image: int) -> Path:
    return tree / f"{folder // 100:02}" / f"Holiday {folder:05}" / f"IMG_{image:04}.JPG"


def _find_s(tree: Path) -> float:
    """The median of three: whoever else uses the machine slows both sides down."""
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        found = subprocess.run(["find", str(tree), "-printf", "%s %T@ %p\n"], stdout=subprocess.PIPE, check=True)
        spent.append(time.perf_counter() - began)
        assert found.stdout.count(b"\n") > FILES
    return statistics.median(spent)


@contextmanager
def _running(data_dir: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    command = [sys.executable, "-m", "linstock"]
    with data_dir.with_suffix(".log").open("wb") as log:

        def run(*words: str, timeout_s: float) -> None:
            subprocess.run(
                [*command, *words, "--data-dir", str(data_dir)],
                check=True,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                timeout=timeout_s,
            )

        run("up", "--detach", "--port", "0", timeout_s=READY_WITHIN_S)
        try:
            state: dict[str, Any] = msgspec.json.decode((data_dir / "state.json").read_bytes())
            with httpx.Client(base_url=f"{state['url']}/api/v1", timeout=30) as http:
                yield http, psutil.Process(state["services"]["scanner"]["pid"])
        finally:
            run("down", timeout_s=60)


def _created(http: httpx.Client, tree: Path) -> str:
    answer = http.post("/libraries", json={"name": "Large", "path": str(tree)})
    answer.raise_for_status()
    library: str = answer.json()["id"]
    return library


def _first_scan_s(http: httpx.Client, library: str) -> float:
    began = time.perf_counter()
    scan_id = _asked(http, library)
    _ended(http, scan_id)
    shown = f"/libraries/{library}/collections?pageSize=1&page={FOLDERS}"

    def complete() -> bool:
        page = http.get(shown).json()
        if page["totalCount"] < FOLDERS:
            return False
        files: int = http.get(f"/collections/{page['data'][0]['id']}/files?pageSize=1").json()["totalCount"]
        return files == IMAGES

    _await(complete, "the last row is visible")
    spent = time.perf_counter() - began
    counts = http.get(f"/scans/{scan_id}").json()["counts"]
    assert (counts["images"], counts["added"]) == (FILES, FOLDERS), counts
    return spent


def _rescan_s(http: httpx.Client, library: str, *, mode: str = "changed", changed: int = 0) -> float:
    began = time.perf_counter()
    scan_id = _asked(http, library, mode)
    _ended(http, scan_id)
    spent = time.perf_counter() - began
    counts = http.get(f"/scans/{scan_id}").json()["counts"]
    assert (counts["images"], counts["unchanged"], counts["changed"]) == (FILES, FOLDERS - changed, changed), counts
    return spent


def _asked(http: httpx.Client, library: str, mode: str = "changed") -> str:
    answer = http.post(f"/libraries/{library}/scans", json={"scanMode": mode})
    answer.raise_for_status()
    scan_id: str = answer.json()["id"]
    return scan_id


def _ended(http: httpx.Client, scan_id: str) -> None:
    def completed() -> bool:
        answer = http.get(f"/scans/{scan_id}")
        status = answer.json().get("status")
        assert status not in ("Failed", "Timeout", "Cancelled"), answer.text
        return bool(status == "Completed")

    _await(completed, f"scan {scan_id} is completed")


def _await(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + ENDED_WITHIN_S
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(LOOK_EVERY_S)


class _Peak:
    """How far a process's resident memory rises above what it was before."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._before = self._highest = 0

    @property
    def growth_bytes(self) -> int:
        return self._highest - self._before

    def __enter__(self) -> "_Peak":
        self._before = self._process.memory_info().rss
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            self._highest = max(self._highest, self._process.memory_info().rss)
