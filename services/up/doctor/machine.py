"""What can be looked at without anything running: Python, time zones, the data directory and its disk."""

import os
import platform
import shutil
import sys
import tempfile
import time
import zoneinfo
from collections.abc import Iterator
from datetime import date
from importlib import metadata
from pathlib import Path

from linstock.embedded import DataDir
from linstock.embedded.datadir import file_system, is_network
from services.up.doctor.finding import Finding, failed, ok, warning

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE = 2 * 10**9
NO_SPACE = 200 * 10**6
SYNCS = 20
SYNC_BYTES = 4096
SLOW_SYNC_MS = 10.0


def look(data: DataDir, today: date) -> Iterator[Finding]:
    yield _python()
    yield _time_zones(today)
    yield _place(data)
    yield _permissions(data)
    yield _space(data)
    yield _sync(data)


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return failed("python", found, "Install Python 3.11 or newer, then: make clean setup PYTHON=…")
    return ok("python", found)


def _time_zones(today: date) -> Finding:
    edition, source = _tzdata()
    found = f"{edition} ({source})"
    if not edition[:4].isdigit():
        return failed("time zones", found, "Install the system's tzdata, or the Python package of that name.")
    if int(edition[:4]) < today.year - 1:
        return warning("time zones", found, "Old rules fire schedules at wrong times: update the system's tzdata.")
    return ok("time zones", found)


def _tzdata() -> tuple[str, str]:
    """Which edition zoneinfo reads: the system's files if there are any, else the package's."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "UTC").exists():
            try:
                with (folder / "tzdata.zi").open(encoding="ascii") as file:
                    first = file.readline()
            except (OSError, UnicodeDecodeError):
                continue
            return first.removeprefix("# version ").strip()[:20], str(folder)
    try:
        return metadata.version("tzdata"), "Python package"
    except metadata.PackageNotFoundError:
        return "none", "not installed"


def _place(data: DataDir) -> Finding:
    kind = file_system(data.root)
    if is_network(kind):
        return failed("file system", f"{data.root} is on {kind}",
                      "Databases lose data there. Use a local disk: --data-dir /var/lib/linstock")  # fmt: skip
    if kind in ("tmpfs", "ramfs"):
        return warning("file system", f"{data.root} is on {kind}", "It is gone after a reboot: use a disk.")
    return ok("file system", f"{kind or 'unknown'}, {data.root}")


def _permissions(data: DataDir) -> Finding:
    if not data.root.exists():
        parent = _existing(data.root)
        if not os.access(parent, os.W_OK | os.X_OK):
            return failed("permissions", f"{parent} may not be written to", "Give another --data-dir.")
        return ok("permissions", "not there yet; `linstock up` makes it")
    state = data.root.stat()
    if not os.access(data.root, os.R_OK | os.W_OK | os.X_OK):
        return failed("permissions", f"it belongs to uid {state.st_uid}, this is uid {os.geteuid()}",
                      "Run Linstock as the user that made it.")  # fmt: skip
    if state.st_uid != os.geteuid():
        return warning("permissions", f"it belongs to uid {state.st_uid}, this is uid {os.geteuid()}",
                       "Start Linstock as one user only.")  # fmt: skip
    loose = [path for path in (data.root, data.state, data.nats / "credential") if _others_may_read(path)]
    if loose:
        return failed("permissions", f"others may read {', '.join(map(str, loose))}",
                      f"It holds credentials: chmod -R go= {data.root}")  # fmt: skip
    return ok("permissions", "for its owner alone")


def _others_may_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o044)
    except OSError:
        return False


def _space(data: DataDir) -> Finding:
    free = shutil.disk_usage(_existing(data.root)).free
    found = f"{free / 10**9:.1f} GB free"
    if free < NO_SPACE:
        return failed("space", found, "Nothing can be stored soon: make room, or move the data directory.")
    if free < LITTLE_SPACE:
        return warning("space", found, "Make room before it runs out.")
    return ok("space", found)


def _sync(data: DataDir) -> Finding:
    """Every event is on disk before it counts: this is what each one costs at least."""
    try:
        times = sorted(_sync_times(_existing(data.root)))
    except OSError as error:
        return warning("disk", f"it could not be measured: {error.strerror}", "Run this as the user of Linstock.")
    median, worst = times[len(times) // 2], times[-1]
    found = f"fdatasync takes {median:.2f} ms (worst of {len(times)}: {worst:.2f} ms)"
    if median > SLOW_SYNC_MS:
        return warning("disk", found, "Every command waits for it: an SSD is 10 to 100 times faster.")
    return ok("disk", found)


def _sync_times(folder: Path) -> Iterator[float]:
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(bytes(SYNC_BYTES))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            yield (time.perf_counter() - start) * 1000


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
