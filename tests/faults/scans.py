"""kill -9 at each named point of a scan, once: in the end all is as after the same scan of the same tree that nobody
killed. And of 300,000 files, killed half way: how much of what it had read the next attempt reads again."""

import asyncio
import os
import shutil
import signal
import time
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from linstock import names
from tests.bench.bench_scan import Tree
from tests.faults.report import Count, print_table, progress
from tests.faults.system import System
from tests.support.trees import put, put_archive, put_broken_archive, put_many

WITHIN_S = 120.0
LOOK_EVERY_S = 0.05
FOLDERS = 5_000
LISTED_BEFORE = FOLDERS // 2
MOST_READ_AGAIN = 5.0  # percent
MOST_ROWS = 1000  # of a library's collections are compared; large ones by their counts
ENDED = ("Completed", "Failed", "Timeout", "Cancelled")

CHANGES = (
    "after_claim",
    "after_scan_started",
    "after_index_catch_up",
    "in_listing:30",
    "between_pages",
    "after_page_append",
    "after_page_index_before_folders",
    "before_folder_rows",
    "after_folder_rows",
    "after_walk",
    "before_restoring",
    "after_restoring",
    "before_moving_images",
    "after_moving_images",
    "before_marking_missing",
    "between_marking_collections_and_images",
    "after_marking_missing",
    "before_verdict",
    "after_verdict_append_before_index",
)
"""Of a scan that finds something new, changed, gone, moved and there again."""
REMOVALS = ("before_holding", "after_proposing_before_verdict")
"""Of one that has to ask."""
LONG = ("after_progress", "before_closing", "while_closing")
"""Of one that takes its time, and for the latter two is paused and resumed."""


class NeverCame(Exception):
    """What was waited for did not come in time."""


class End(Struct):
    """What is known of a library after a scan, without ids and times."""

    status: str
    removals: str
    held: int
    counts: dict[str, int]
    collections: list[tuple[Any, ...]]


async def run(home: Path, *, seed: int) -> bool:
    del seed
    system = System(home)
    try:
        system.start()
        async with httpx.AsyncClient(base_url=f"{system.state.url}/api/v1", timeout=30) as http:
            trial = Trial(system, http)
            return print_table("Scans that are killed", await trial.counts())
    finally:
        system.stop()


class Trial:
    def __init__(self, system: System, http: httpx.AsyncClient) -> None:
        self._system = system
        self._http = http
        self._logged: list[dict[str, object]] = []

    async def counts(self) -> list[Count]:
        counts: list[Count] = []
        for points, change in ((CHANGES, lived_on), (REMOVALS, lost)):
            whole = await self._end(await self._lived("whole " + points[0].partition(":")[0], change))
            for point in points:
                counts += await self._killed(point, change, whole)
        return [*counts, *await self._long(), *await self._tools()]

    async def _lived(self, name: str, change: Callable[[Path], None]) -> str:
        """A library's third scan, which finds changes; the scan's id."""
        return await self._scanned(await self._prepared(name, change))

    async def _prepared(self, name: str, change: Callable[[Path], None]) -> str:
        root = self._system.home / "libraries" / name
        root.mkdir(parents=True)
        lived_in(root)
        library = await self._created(name, root)
        await self._scanned(library)
        shutil.rmtree(root / "comes back")
        await self._scanned(library)
        change(root)
        return library

    async def _killed(self, point: str, change: Callable[[Path], None], whole: End) -> list[Count]:
        name = point.partition(":")[0]
        library = await self._prepared(name, change)
        code, scan = await self._crashes(point, partial(self._requested, library))
        end = await self._end(await self._ended(scan))
        if name == "after_verdict_append_before_index":
            end.counts = whole.counts  # the verdict was there: nothing was done again
        same = end == whole
        if not same:
            progress(f"{point}: {end} instead of {whole}")
        return [Count(f"{name}: exit code", code, "137"), Count("  ends otherwise", int(not same), 0)]

    async def _long(self) -> list[Count]:
        tree = Tree(self._system.home / "many", FOLDERS)
        tree.generate()
        progress(f"{tree.files:,} files are there")
        library = await self._created("many", tree.path)
        point = f"in_listing:{LISTED_BEFORE + 1}"
        code, scan = await self._crashes(point, partial(self._requested, library))
        await self._ended(scan)
        counts = [
            Count(f"{tree.files:,} files, killed after {LISTED_BEFORE:,} folders: exit code", code, "137"),
            await self._read_again("  first scan: folders read again, %", scan),
        ]
        for mode in ("changed", "deep"):
            _, scan = await self._crashes(point, partial(self._requested, library, mode))
            await self._ended(scan)
            counts.append(await self._read_again(f"  {mode} rescan: folders read again, %", scan))
        for name in LONG:
            code, scan = await self._crashes(name, partial(self._disturbed, library, name))
            if name != "after_progress":
                await self._post(f"/runs/{scan}/resume", {})
            end = await self._end(await self._ended(scan))
            found = (end.status, end.counts["collections"], end.counts["files"], end.counts["unchanged"])
            counts += [
                Count(f"{name}: exit code", code, "137"),
                Count("  ends otherwise", int(found != ("Completed", FOLDERS, tree.files, FOLDERS)), 0),
            ]
        return counts

    async def _disturbed(self, library: str, point: str) -> str:
        scan = await self._requested(library, "deep")
        if point != "after_progress":
            await self._until(f"/runs/{scan}", lambda run: bool(run.get("progress")), "a scan that says how far it is")
            await self._post(f"/runs/{scan}/pause", {"reason": "Film night"})
        return scan

    async def _read_again(self, what: str, scan: str) -> Count:
        """Everything beyond what was left to be read."""
        await self._line(lambda _: True, wait=False)
        [walked] = [each for each in self._logged if each.get("event") == "Walked" and each.get("scan_id") == scan]
        again = int(str(walked["listed"])) - (int(str(walked["folders"])) - LISTED_BEFORE)
        share = round(100 * again / LISTED_BEFORE, 1)
        return Count(f"{what} ({again} of {LISTED_BEFORE})", share, MOST_READ_AGAIN, at_most=True)

    async def _crashes(self, point: str, work: Callable[[], Awaitable[str]]) -> tuple[str, str]:
        """The exit code of the scanner that was told to die there, and what `work` returns."""
        name = point.partition(":")[0]
        await self._line(lambda _: True, wait=False)
        self._system.arm(names.SCANNER, point)
        os.kill(await self._pid(), signal.SIGKILL)
        await self._line(_scanner_ended)
        began = time.monotonic()
        scan = await work()
        await self._line(lambda line: line.get("event") == f"crash point {name}")
        ended = await self._line(_scanner_ended)
        progress(f"the scanner ended at {point} after {time.monotonic() - began:.1f} s")
        return str(ended["code"]), scan

    async def _line(self, wanted: Callable[[dict[str, object]], bool], *, wait: bool = True) -> dict[str, object]:
        """The next line of the log that is wanted; all until then are kept."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            for line in self._system.new_log_lines():
                self._logged.append(line)
                if wait and wanted(line):
                    return line
            if not wait:
                return {}
            await asyncio.sleep(LOOK_EVERY_S)
        raise NeverCame(f"{NeverCame.__doc__} a line of {self._system.log}")

    async def _pid(self) -> int:
        until = time.monotonic() + WITHIN_S
        while names.SCANNER not in self._system.pids() and time.monotonic() < until:
            await asyncio.sleep(LOOK_EVERY_S)
        return self._system.pids()[names.SCANNER]

    async def _created(self, name: str, root: Path) -> str:
        return str((await self._post("/libraries", {"name": name, "path": str(root), "autoScan": False}))["id"])

    async def _requested(self, library: str, mode: str = "changed") -> str:
        return str((await self._post(f"/libraries/{library}/scans", {"scanMode": mode}))["id"])

    async def _scanned(self, library: str) -> str:
        return await self._ended(await self._requested(library))

    async def _ended(self, scan: str) -> str:
        await self._until(f"/runs/{scan}", lambda run: run["status"] in ENDED, f"the end of {scan}")
        return scan

    async def _end(self, scan: str) -> End:
        """Once the read models have all of it."""
        path = f"/scans/{scan}"
        found = await self._until(
            path, lambda each: each["status"] in ENDED and each["counts"], f"the counts of {scan}"
        )
        rows: list[dict[str, Any]] = []
        page, pages = 1, 1
        while page <= pages and len(rows) < MOST_ROWS:
            asked = {"page": page, "pageSize": 200, "libraryId": found["libraryId"]}
            answer = (await self._http.get("/collections", params=asked)).raise_for_status().json()
            rows, page, pages = rows + answer["data"], page + 1, answer["totalPages"]
        return End(
            status=found["status"],
            removals=found["removals"],
            held=found["held"],
            counts=found["counts"],
            collections=sorted(
                (row["path"], row["kind"], row["imageCount"], row["bytes"], row["state"]) for row in rows
            ),
        )

    async def _until(self, path: str, wanted: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            answer = await self._http.get(path)
            if answer.status_code == 200 and wanted(found := answer.json()):
                return dict(found)
            await asyncio.sleep(LOOK_EVERY_S)
        raise NeverCame(f"{NeverCame.__doc__} {what}")

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Again while it is not there yet: the scheduler hears of a new library a moment later."""
        until = time.monotonic() + WITHIN_S
        while (answer := await self._http.post(path, json=body)).status_code >= 300:
            if time.monotonic() > until:
                raise NeverCame(f"{NeverCame.__doc__} POST {path}: {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(LOOK_EVERY_S)
        return dict(answer.json())

    async def _tools(self) -> list[Count]:
        counts = []
        for words in (("events", "verify"), ("projection", "verify")):
            done = await asyncio.to_thread(self._system.command, *words)
            counts.append(Count(f"linstock {' '.join(words)}: exit code", done.returncode, 0))
        return counts


def _scanner_ended(line: dict[str, object]) -> bool:
    return line.get("event") == "service ended" and line.get("ended") == names.SCANNER


def lived_in(root: Path) -> None:
    put_many(root, folders=200, images=30)
    put(root, "goes/1.jpg", "comes back/1.jpg", "inner/deep/er/1.jpg", "loses/1.jpg", "loses/2.jpg")
    put(root, "moves/1.jpg", "moves/inner/1.jpg")
    for length, path in enumerate(("moves/1.jpg", "moves/inner/1.jpg", "loses/3.jpg"), 1_000):
        (root / path).write_bytes(b"x" * length)
    put_archive(root / "folder-00007" / "book.cbz", "1.jpg", "2.jpg")
    put_broken_archive(root / "folder-00009" / "broken.zip")
    long_ago(root)


def lived_on(root: Path) -> None:
    for number in range(0, 200, 4):
        put(root, f"folder-{number:05}/new.jpg")
    put_many(root / "more", folders=200, images=100)
    put(root, "comes back/1.jpg")
    put_archive(root / "folder-00011" / "new.zip", "1.jpg")
    shutil.rmtree(root / "goes")
    (root / "loses" / "2.jpg").unlink()
    (root / "loses" / "3.jpg").rename(root / "folder-00008" / "moved.jpg")
    (root / "moves").rename(root / "more" / "moved")
    long_ago(root)


def lost(root: Path) -> None:
    """More than may go without a question."""
    for number in range(100):
        shutil.rmtree(root / f"folder-{number:05}")
    put(root, "comes back/1.jpg")
    long_ago(root)


def long_ago(root: Path) -> None:
    """A collection that is there again is as it was, and none is as one of another library."""
    at = 10**18 + zlib.crc32(os.fsencode(root))
    for folder, _, files in os.walk(root):
        for name in files:
            os.utime(Path(folder, name), ns=(at, at))
