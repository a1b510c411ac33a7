"""A library of hostile files and of thousands of damaged ones: what it costs the processes that read it."""

import asyncio
import os
from pathlib import Path

from tests.faults.report import Count, print_table, progress
from tests.support import corpus
from tests.support.instance import Instance, started
from tests.support.waiting import until

MUTATED = 5_000
MOST_MB = 256
MOST_DISK_MB = 256
"""That the data directory may grow by, the write-ahead log of Postgres included."""
WITHIN_S = 900


async def run(home: Path, *, seed: int) -> bool:
    return await asyncio.to_thread(_run, home, seed)


def _run(home: Path, seed: int) -> bool:
    root = home / "library"
    root.mkdir()
    corpus.put_corpus(root)
    (root / "mutated").mkdir()
    corpus.mutate(root / "mutated", seed=seed, files=MUTATED)
    there = corpus.files_in(root)
    progress(f"{len(there):,} files are there")
    with started(home / "data") as instance:
        return print_table("Hostile files", _counts(instance, root, there))


def _counts(instance: Instance, root: Path, there: set[str]) -> list[Count]:
    scanner, before, most = instance.pid("scanner"), _size(instance.data_dir), dict[int, int]()
    library = instance.create("Hostile", root)
    scan = instance.ended(instance.scan(library), WITHIN_S)

    def read() -> bool:
        for pid, kib in corpus.most_memory_kib(instance.pid("scanner")).items():
            most[pid] = max(most.get(pid, 0), kib)
        runs = instance.get("/runs?jobType=Enrich")["data"]
        return bool(runs) and all(run["completedAt"] for run in runs)

    until(read, "everything is looked into", WITHIN_S)
    runs = instance.get("/runs?jobType=Enrich")["data"]
    statistics = instance.get(f"/libraries/{library}/statistics")
    children = max((kib for pid, kib in most.items() if pid != scanner), default=0)
    return [
        Count("files", len(there)),
        Count("  of them in quarantine", statistics["quarantinedFiles"], 1_000, at_least=True),
        Count("scan", scan["status"], "Completed"),
        Count("jobs that read images and did not complete", sum(run["status"] != "Completed" for run in runs), 0),
        Count("scanners that ended", int(instance.pid("scanner") != scanner), 0),
        Count("memory of the scanner, MB", most[scanner] / 1024, MOST_MB, at_most=True),
        Count("memory of what reads images, MB", children / 1024, MOST_MB, at_most=True),
        Count("growth on disk, MB", (_size(instance.data_dir) - before) / 2**20, MOST_DISK_MB, at_most=True),
        Count("files of the library that changed", len(there ^ corpus.files_in(root)), 0),
    ]


def _size(root: Path) -> int:
    found = 0
    for at, _, names in os.walk(root):
        for name in names:
            try:
                found += (Path(at) / name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return found
