"""A run (and the scan it was) as people read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from linstock.cli import watch, words
from linstock.cli.exits import Exit
from linstock.cli.screen import Column, Screen
from linstock.statuses import COMPLETED, ENDED

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

SCAN = "LibraryScan"
CLEANING = "CleanThumbnails"

COLUMNS = (
    Column("ID", lambda run: words.short(run["id"])),
    Column("WHAT", lambda run: _library(run) or run.get("scheduledJobName") or run.get("jobType"), folds=True),
    Column("STATUS", lambda run: run["status"]),
    Column("STARTED", lambda run: words.moment(run.get("startedAt") or run.get("requestedAt"))),
    Column("TOOK", lambda run: words.duration(run.get("duration")), right=True),
    Column("BY", lambda run: run.get("triggeredBy") or "-"),
    Column("ERROR", lambda run: run.get("errorMessage") or "", folds=True),
)
_REPORT = (
    Column("WHAT", lambda item: item["code"]),
    Column("WHERE", lambda item: item["path"] or ".", folds=True),
    Column("WHY", lambda item: item["message"], folds=True),
)


def wait_and_show(api: "Api", screen: Screen, run_id: str, *, scan: bool = True) -> int:
    """Wait for the end, show it, and return the exit code."""
    return show(screen, watch.until_ended(api, run_id, kind="scans" if scan else "runs"))


def show(screen: Screen, run: "Json") -> int:
    """Everything about one run: what it saw, what failed and why. Returns the exit code that says how it ended."""
    screen.one(run, _fields(run))
    if screen.form == "table" and run.get("report"):
        screen.say("")
        screen.rows(run["report"], _REPORT, none="")
    return exit_code(run)


def tell(api: "Api", screen: Screen, run_id: str, what: str, reason: str | None) -> None:
    """`what` is the last word of a path: pause, resume or cancel. Shows the run afterwards."""
    done = api.command("POST", f"/runs/{run_id}/{what}", {"reason": reason} if reason else {})
    show(screen, done.body if "status" in done.body else api.get(f"/runs/{run_id}"))


def exit_code(run: "Json") -> int:
    return Exit.FAILED if run["status"] in ENDED and run["status"] != COMPLETED else Exit.OK


def _fields(run: "Json") -> Iterator[tuple[str, object]]:
    yield "run", run["id"]
    yield "status", run["status"]
    if run.get("errorMessage"):
        yield "error", run["errorMessage"]
    yield from _rest(run)
    yield "library", run.get("libraryName") or _library(run)
    yield "schedule", run.get("scheduledJobName")
    yield "triggered by", run.get("triggeredBy")
    yield "mode", run.get("scanMode")
    yield "only", ", ".join(part["path"] or "." for part in run.get("scope") or ())
    if run.get("dryRun"):
        yield "dry run", f"nothing was changed; what would be: linstock run changes {words.short(run['id'])}"
    if run.get("undoneAt"):
        yield "undone", f"{words.moment(run['undoneAt'])} by {run['undoneBy']}"
    yield "requested", words.moment(run.get("requestedAt"))
    yield "started", words.moment(run.get("startedAt"))
    yield "took", words.duration(run.get("duration"))
    if run.get("attempt", 0) > 1:
        yield "attempt", run["attempt"]
    if run.get("nextAttemptAt"):
        yield "next attempt", words.moment(run["nextAttemptAt"])
    if run.get("jobType") == CLEANING and run.get("result"):
        yield from _cleaned(run["result"])
    if progress := run.get("progress"):
        yield from _progress(progress)
    if counts := run.get("counts") or run.get("progress"):
        yield from _counts(counts)
    if run.get("held"):
        yield "held back", f"{words.counted(run['held'], 'removal')}: linstock lib removals approve | reject"


def _rest(run: "Json") -> Iterator[tuple[str, object]]:
    """Why it does not run."""
    if paused := run.get("paused"):
        why = f": {paused['reason']}" if paused["reason"] else ""
        yield "paused", f"{words.moment(paused['at'])} by {paused['by']}{why}"
    if waiting := run.get("waitingFor"):
        yield "waits for", _waiting(waiting)


def _waiting(waiting: "Json") -> str:
    others = ", ".join(map(words.short, waiting["runIds"]))
    match waiting["reason"]:
        case "time":
            return words.moment(waiting["until"])
        case "run":
            return f"an earlier run of its library: {others}"
        case "device":
            return f"its disk, {waiting['device']}" + (f": {others} runs there" if others else "")
        case _:
            return "a scanner that takes it"


def _progress(progress: "Json") -> Iterator[tuple[str, object]]:
    yield "phase", progress["phase"]
    if progress["verified"]:
        read = words.size(progress["verifiedBytes"])
        yield "verified", f"{words.counted(progress['verified'], 'file')}, {read} read"
    if progress["percent"] is not None:
        yield "done", f"{progress['percent']} % of the files of last time"
    if progress["filesPerSecond"] is not None:
        yield "pace", f"{progress['filesPerSecond']:,.0f} files and {words.size(progress['bytesPerSecond'])} a second"
    left = progress["etaSeconds"]
    yield "time left", "not known" if left is None else f"about {words.duration(left * 1000)}"


def _counts(counts: "Json") -> Iterator[tuple[str, object]]:
    found = words.counted(counts.get("collections", 0), "collection")
    if counts.get("images") is not None:
        found += f", {words.counted(counts['images'], 'image')}"
        found += f" ({words.size(counts.get('sizeBytes', counts.get('bytes')))})"
    yield "found", found
    yield (
        "looked at",
        f"{words.counted(counts.get('files', 0), 'file')} in {words.counted(counts.get('folders', 0), 'folder')}",
    )
    if counts.get("added") is not None:
        yield "changes", f"{counts['added']:,} added, {counts['changed']:,} changed, {counts['unchanged']:,} unchanged"
    if counts.get("absent"):
        yield "not seen", f"{counts['absent']:,}, {counts.get('missing', 0):,} marked missing"
    if counts.get("restored"):
        yield "there again", f"{counts['restored']:,}"
    if counts.get("verified") and "phase" not in counts:
        yield "verified", f"{words.counted(counts['verified'], 'file')}, {counts.get('rotten', 0):,} rotten"
    if counts.get("moved"):
        yield "moved", f"{counts['moved']:,}"
    if counts.get("movedImages"):
        yield "moved singly", words.counted(counts["movedImages"], "image")
    if counts.get("errors") is not None:
        yield "could not be read", f"{counts['errors']:,}"


def _cleaned(result: "Json") -> Iterator[tuple[str, object]]:
    what = f"{words.counted(result['objects'], 'thumbnail')} ({words.size(result['bytes'])})"
    yield ("would go" if result["dryRun"] else "removed"), what
    yield "kept", f"{result['kept']:,} in use, {result['young']:,} not an hour old"


def _library(run: "Json") -> str | None:
    result = run.get("result")
    return result.get("libraryName") if isinstance(result, dict) else None
