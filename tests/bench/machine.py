"""What the machine can do: the disk's fdatasync decides every durable millisecond."""

import os
import platform
import threading
import time
from pathlib import Path
from typing import Self

from tests.bench.figure import percentile

GOOD_FDATASYNC_MS = 0.5
EXCESS_FACTOR = 8
WATCH_EVERY_S = 0.02


def fdatasync_ms(folder: Path, *, times: int = 200) -> float:
    """Median milliseconds of an 8 KiB write with fdatasync."""
    path = folder / "fdatasync"
    block = os.urandom(8192)
    spent: list[float] = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(times):
            began = time.perf_counter()
            os.pwrite(descriptor, block, 0)
            os.fdatasync(descriptor)
            spent.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return percentile(spent, 0.5)


class DiskWatch:
    """One fdatasync every 20 ms for as long as the block runs: a tail that is the disk's own should be seen as such."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "watched"
        self._spent: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def summary(self) -> dict[str, float]:
        """Milliseconds: p50, p99 and the longest."""
        shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {name: round(percentile(self._spent, share), 3) for name, share in shares.items()}

    def _run(self) -> None:
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            while not self._ended.wait(WATCH_EVERY_S) or not self._spent:
                began = time.perf_counter()
                os.pwrite(descriptor, b"x" * 8192, 0)
                os.fdatasync(descriptor)
                self._spent.append((time.perf_counter() - began) * 1000)
        finally:
            os.close(descriptor)


def allowance_ms(fdatasync: float) -> float:
    """What every millisecond target may be exceeded by on a slower disk."""
    return max(0.0, fdatasync - GOOD_FDATASYNC_MS) * EXCESS_FACTOR


def description() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()}
