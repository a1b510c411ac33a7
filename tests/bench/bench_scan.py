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
from msgspec import Struct

from tests.bench.figure import Figure

IMAGES = 60  # of each folder
FOLDERS = 5_000
MANY_FOLDERS = 16_667
READY_WITHIN_S = 60
ENDED_WITHIN_S = 300
LOOK_EVERY_S = 0.02


class Tree(Struct, frozen=True):
    """Folders of empty images, below folders of a hundred such folders."""

    path: Path
    folders: int

    @property
    def files(self) -> int:
        return self.folders * IMAGES

    def image(self, folder: int, image: int) -> Path:
        return self.path / f"{folder // 100:03}" / f"Holiday {folder:05}" / f"IMG_{image:04}.JPG"

    def generate(self) -> None:
        for number in range(self.folders):
            folder = self.image(number, 0).parent
            folder.mkdir(parents=True)
            at = os.open(folder, os.O_RDONLY)
            for image in range(IMAGES):
                os.close(os.open(f"IMG_{image:04}.JPG", os.O_CREAT | os.O_WRONLY, dir_fd=at))
            os.close(at)
        os.sync()  # or the disk is busy with it for the first minute

    def change_one_percent(self, repetition: int) -> int:
        """Every hundredth file; in how many folders."""
        changed = [divmod(number, IMAGES) for number in range(0, self.files, 100)]
        for folder, image in changed:
            os.truncate(self.image(folder, image), repetition + 1)
        return len({folder for folder, _ in changed})

    def find(self) -> None:
        command = ["find", str(self.path), "-printf", "%s %T@ %p\n"]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        assert found.stdout.count(b"\n") > self.files


def scan(folder: Path, *, repetitions: int) -> list[Figure]:
    """Multiples of `find`: the first scan, from POST to the last row visible over HTTP; unchanged ones and one after
    every hundredth file was changed, from POST to Completed. Bytes per file: what the scanner's peak memory grows by.
    Every first scan is a new instance's; what other tools take is told beside it, where they are installed."""
    tree = Tree(folder / "tree", FOLDERS)
    tree.generate()
    finds = _Finds(tree)
    firsts, changeds, quicks, edits, growths = [], [], [], [], []
    for repetition in range(repetitions):
        with _running(folder / f"data-{repetition}") as (http, scanner):
            library = _created(http, tree)
            finds.look()
            with _Peak(scanner) as peak:
                first = _first_scan_s(http, library, tree)
            firsts.append(finds.times(first))
            growths.append(peak.growth_bytes / tree.files)
            changeds.append(finds.times(_rescan_s(http, library, tree)))
            several = [_rescan_s(http, library, tree, mode="quick") for _ in range(3)]
            quicks.append(finds.times(statistics.median(several)))
            changed_folders = tree.change_one_percent(repetition)
            edits.append(finds.times(_rescan_s(http, library, tree, changed=changed_folders)))
    return [
        finds.figure("first scan to its last row over HTTP", firsts, 6),
        finds.figure("unchanged rescan to Completed over HTTP", changeds, 2.6),
        finds.figure("unchanged quick scan to Completed over HTTP", quicks, 0.25),
        finds.figure("rescan after every 100th file changed", edits, 3),
        Figure(name="scanner's memory", unit="bytes/file", samples=growths, at_most=150),
        *_other_tools(folder, tree, repetitions),
    ]


def scan_many(folder: Path) -> list[Figure]:
    """The first scan of a million files, once: it takes as many times `find` as one of fewer, and as little memory for
    each."""
    tree = Tree(folder / "many", MANY_FOLDERS)
    tree.generate()
    finds = _Finds(tree)
    with _running(folder / "data-many") as (http, scanner):
        library = _created(http, tree)
        finds.look()
        with _Peak(scanner) as peak:
            first = finds.times(_first_scan_s(http, library, tree))
    growth = peak.growth_bytes / tree.files
    return [
        finds.figure(f"first scan of {tree.files:,} files to its last row over HTTP", [first], 6),
        Figure(name=f"scanner's memory, {tree.files:,} files", unit="bytes/file", samples=[growth], at_most=150),
    ]


class _Finds:
    """What `find` takes right before and right after something else."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._samples: list[float] = []

    def look(self) -> None:
        self._samples.append(_median_s(lambda: _spent_s(self._tree.find)))

    def times(self, spent_s: float) -> float:
        """As a multiple of the mean of both."""
        self.look()
        return spent_s / statistics.mean(self._samples[-2:])

    def figure(self, name: str, samples: list[float], at_most: float) -> Figure:
        return Figure(
            name=name,
            unit="× find",
            samples=samples,
            at_most=at_most,
            reference=f"find of the same {self._tree.files:,} files, s",
            reference_samples=self._samples,
        )


def _median_s(measure: Callable[[], float]) -> float:
    """Of three: whoever else uses the machine slows both sides down."""
    return statistics.median(measure() for _ in range(3))


def _spent_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _command_s(command: list[str]) -> float:
    return _median_s(lambda: _spent_s(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)))


def _other_tools(folder: Path, tree: Tree, repetitions: int) -> list[Figure]:
    """What they take to find nothing new in the same tree, in seconds; only those that are installed."""
    figures = []
    if shutil.which("git"):
        git = ["git", "--git-dir", str(folder / "git"), "--work-tree", str(tree.path)]
        for words in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run([*git, *words], check=True, stdout=subprocess.DEVNULL)
        samples = [_command_s([*git, "status", "--porcelain"]) for _ in range(repetitions)]
        figures.append(Figure(name="git status of the same files", unit="s", samples=samples))
    if shutil.which("rsync"):
        copy = folder / "copy"
        subprocess.run(["cp", "-a", str(tree.path), str(copy)], check=True)
        samples = [_command_s(["rsync", "-an", f"{tree.path}/", f"{copy}/"]) for _ in range(repetitions)]
        figures.append(Figure(name="rsync -an of the same files", unit="s", samples=samples))
    return figures


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


def _created(http: httpx.Client, tree: Tree) -> str:
    answer = http.post("/libraries", json={"name": "Large", "path": str(tree.path)})
    answer.raise_for_status()
    return _made(http, answer)


def _first_scan_s(http: httpx.Client, library: str, tree: Tree) -> float:
    began = time.perf_counter()
    scan_id = _asked(http, library)
    _ended(http, scan_id)
    shown = f"/libraries/{library}/collections?pageSize=1&page={tree.folders}"

    def complete() -> bool:
        page = http.get(shown).json()
        if page["totalCount"] < tree.folders:
            return False
        files: int = http.get(f"/collections/{page['data'][0]['id']}/files?pageSize=1").json()["totalCount"]
        return files == IMAGES

    _await(complete, "the last row is visible")
    spent = time.perf_counter() - began
    counts = http.get(f"/scans/{scan_id}").json()["counts"]
    assert (counts["images"], counts["added"]) == (tree.files, tree.folders), counts
    return spent


def _rescan_s(http: httpx.Client, library: str, tree: Tree, *, mode: str = "changed", changed: int = 0) -> float:
    began = time.perf_counter()
    scan_id = _asked(http, library, mode)
    _ended(http, scan_id)
    spent = time.perf_counter() - began
    counts = http.get(f"/scans/{scan_id}").json()["counts"]
    seen = (counts["images"], counts["unchanged"], counts["changed"])
    assert seen == (tree.files, tree.folders - changed, changed), counts
    return spent


def _asked(http: httpx.Client, library: str, mode: str = "changed") -> str:
    answer = http.post(f"/libraries/{library}/scans", json={"scanMode": mode})
    answer.raise_for_status()
    return _made(http, answer)


def _made(http: httpx.Client, answer: httpx.Response) -> str:
    """The id of what was asked for. While the disk stalls its owner may need longer than a second to answer, and then
    there is an operation first."""
    where = answer.headers["location"].removeprefix("/api/v1")
    if "/operations/" not in where:
        return str(answer.json()["id"])
    operation: dict[str, Any] = {}

    def done() -> bool:
        operation.update(http.get(where).json())
        return bool(operation["status"] == "done")

    _await(done, f"{where} is done")
    return str(operation["answer"]["id"])


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
