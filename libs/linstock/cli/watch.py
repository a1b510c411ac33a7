"""Waiting for a run to end, with live progress on stderr. Ctrl-C ends the waiting, not the run."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from click.exceptions import Exit as Interrupted

from linstock.cli.exits import Ended, Exit
from linstock.cli.screen import note
from linstock.cli.words import counted, duration, short, size
from linstock.statuses import COMPLETED, ENDED

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

POLL_S = 0.25
TELL_EVERY_S = 5.0
PATIENCE_S = 60.0
"""How long the server may be away meanwhile."""
EARLIER_RUNS = 10


class Meter(Protocol):
    def show(self, run: "Json") -> None: ...


def until_ended(api: "Api", run_id: str, *, kind: str) -> "Json":
    """The thing once it has ended; `kind` is scans, runs (of other types) or jobs. Raises Ended when the server stays
    away."""
    path = f"/{kind}/{run_id}"
    try:
        with _meter(_expected_files(api, path) if kind == "scans" else None) as meter:
            while True:
                found = _patiently(api, path)
                meter.show(found)
                if found["status"] in ENDED:
                    return found
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        what = "job" if kind == "jobs" else "run"
        note(f"\nStopped waiting; the {what} goes on. Look on: linstock {what} show {short(run_id)} --wait")
        raise Interrupted(Exit.INTERRUPTED) from None


def _patiently(api: "Api", path: str) -> "Json":
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return api.get(path)
        except Ended as ended:
            # A run that was only just asked for may not be in the read models yet.
            if ended.exit_code not in (Exit.UNREACHABLE, Exit.NOT_FOUND) or time.monotonic() > until:
                raise
        time.sleep(POLL_S)


def _expected_files(api: "Api", path: str) -> int | None:
    """What the last complete scan of the same library saw: what an estimate is made of."""
    library = (api.find(path) or {}).get("libraryId")
    if library is None:
        return None
    scans, _ = api.rows(f"/libraries/{library}/scans", EARLIER_RUNS)
    counts = [scan.get("counts") or {} for scan in scans if scan["status"] == COMPLETED]
    return next((each["files"] for each in counts if each.get("files")), None)


@contextmanager
def _meter(expected_files: int | None) -> Iterator[Meter]:
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24),
               TextColumn("{task.fields[seen]}"), TimeElapsedColumn())  # fmt: skip
    eta = (TextColumn("ETA"), TimeRemainingColumn()) if expected_files else ()
    with Progress(*columns, *eta, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, expected_files)


class _Bar:
    def __init__(self, progress: Any, expected_files: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task("Pending", total=expected_files, seen="")

    def show(self, run: "Json") -> None:
        seen = _progress(run)
        self._progress.update(self._task, description=run["status"], completed=seen.get("files", 0), seen=_told(seen))


class _Lines:
    """Where nobody can redraw: a line when the status changes, and now and then."""

    def __init__(self) -> None:
        self._told: tuple[str, str] = ("", "")
        self._at = 0.0

    def show(self, run: "Json") -> None:
        now, said = time.monotonic(), (str(run["status"]), _told(_progress(run)))
        changed = said[0] != self._told[0]
        if changed or (said != self._told and now - self._at >= TELL_EVERY_S):
            self._told, self._at = said, now
            note(": ".join(filter(None, said)))


def _progress(run: "Json") -> "Json":
    return run.get("progress") or run.get("counts") or {}


def _told(seen: "Json") -> str:
    nouns = {"folders": "folder", "files": "file", "collections": "collection", "errors": "error"}
    told = [counted(seen[key], noun) for key, noun in nouns.items() if seen.get(key) is not None]
    if seen.get("fraction") is not None:
        stage = f"{seen['stage']} {seen['stageFraction']:.0%}, " if seen.get("stage") else ""
        told.append(
            f"{stage}{seen['fraction']:.0%} of all{': ' if seen.get('message') else ''}{seen.get('message', '')}"
        )
    if seen.get("sizeBytes"):
        told.append(size(seen["sizeBytes"]))
    if seen.get("filesPerSecond"):
        told.append(f"{seen['filesPerSecond']:,.0f} files a second")
    if seen.get("etaSeconds"):
        told.append(f"about {duration(seen['etaSeconds'] * 1000)} left")
    return ", ".join([*([seen["phase"]] if seen.get("phase") else []), *told])
