"""What the machine can do: the disk's fdatasync decides every durable millisecond."""

import os
import platform
import time
from pathlib import Path

from tests.bench.figure import percentile

GOOD_FDATASYNC_MS = 0.5
EXCESS_FACTOR = 8


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


def allowance_ms(fdatasync: float) -> float:
    """What every millisecond target may be exceeded by on a slower disk."""
    return max(0.0, fdatasync - GOOD_FDATASYNC_MS) * EXCESS_FACTOR


def description() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()}
