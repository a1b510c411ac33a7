"""What `linstock lib` does and shows."""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from linstock.cli import runs, schedules, server, words
from linstock.cli.exits import Ended, Exit
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

HINTS_AT_ONCE = 1000  # paths in one request

COLUMNS = (
    Column("ID", lambda row: words.short(row["id"])),
    Column("NAME", lambda row: row["name"], folds=True),
    Column("SCANS", lambda row: f"{row['cronExpression']} {row['timeZone']}" if row["autoScan"] else "off", folds=True),
    Column("ADDED", lambda row: words.moment(row["createdAt"])),
    Column("HELD", lambda row: words.number(row["heldRemovals"]["count"]) if row["heldRemovals"] else "-", right=True),
    Column("PATH", lambda row: row["path"], folds=True),
)

QUARANTINE = (
    Column("PATH", lambda row: row["path"] or ".", folds=True),
    Column("WHAT", lambda row: row["code"]),
    Column("WHY", lambda row: row["message"], folds=True),
    Column("SINCE", lambda row: words.moment(row["since"])),
)


def body(
    *,
    name: str | None,
    description: str | None,
    auto_scan: bool | None,
    cron: str | None,
    zone: str | None,
    exclude: tuple[str, ...],
    ext: tuple[str, ...],
    subfolders: bool | None,
    max_removed_percent: int | None,
    max_removed: int | None,
    min_always: int | None,
    watch: bool | None,
    purge_missing_after: int | None,
) -> "Json":
    """What was given, as the API names it."""
    limits = {"maxRemovedPercent": max_removed_percent, "maxRemoved": max_removed, "minAlways": min_always}
    guard = {field: value for field, value in limits.items() if value is not None}
    given: dict[str, Any] = {
        "name": name,
        "description": description,
        "autoScan": auto_scan,
        "cronExpression": cron,
        "timeZone": zone,
        "excludePatterns": list(exclude) or None,
        "extensions": [f".{each.lstrip('.').lower()}" for each in ext] or None,
        "includeSubfolders": subfolders,
        "guard": guard or None,
        "watch": watch,
        "purgeMissingAfterDays": purge_missing_after,
    }
    return {field: value for field, value in given.items() if value is not None}


def with_whole_guard(body: "Json", library: "Json") -> "Json":
    """Limits that were not given stay: over HTTP a guard is one setting."""
    return {**body, "guard": {**library["guard"], **body["guard"]}} if "guard" in body else body


def absolute(api: "Api", path: Path) -> str:
    """As the server will see it. On this machine it must be a folder; elsewhere only the server can know."""
    if not server.is_local(api.url):
        if not path.is_absolute():
            raise click.BadParameter("the server is elsewhere: give the absolute path there.", param_hint="PATH")
        return os.fspath(path)
    if not path.is_dir():
        raise click.BadParameter(f"{words.printable(path)} is not a folder.", param_hint="PATH")
    return os.fspath(path.resolve())


def add(api: "Api", screen: Screen, path: Path, given: "Json", *, scan: bool, wait: bool) -> int:
    """Create, then scan. With JSON wanted: the library, with its scan as `scan`. Returns the exit code."""
    where = absolute(api, path)
    wanted = {"name": Path(where).name or where, "path": where, "autoScan": True} | given
    try:
        library = api.command("POST", "/libraries", wanted).body
    except Ended as ended:
        raise _naming_the_holder(api, where, ended) from ended
    for warning in library.get("warnings") or ():
        note(f"Warning: {warning}")
    if "path" not in library:
        library = api.get(f"/libraries/{library['id']}")
    note(f"{library['name']} is library {library['id']}.")
    run = _scan_it(api, library, wait=wait) if scan else None
    if screen.form != "table":
        screen.one({**library, "scan": run}, ())
    elif run is not None and wait:
        runs.show(screen, run)
    else:
        screen.one(library, _fields(library))
    return runs.exit_code(run) if run is not None and wait else Exit.OK


def scan(
    api: "Api", library_id: str, *, mode: str | None = None, scope: "Json | None" = None, dry_run: bool = False
) -> "Json":
    given = {"scanMode": mode, "scope": scope, "dryRun": dry_run or None}
    body = {"triggeredBy": "Manual"} | {field: value for field, value in given.items() if value is not None}
    return api.command("POST", f"/libraries/{library_id}/scans", body).body


def hint(api: "Api", library: "Json", paths: tuple[str, ...]) -> None:
    named = [os.fspath(_relative(library, path, "PATH")) for path in paths]
    wanted = ["" if path == "." else path for path in named]
    if any(path != path.encode(errors="replace").decode() for path in wanted):
        raise click.BadParameter("a name is not UTF-8: name the folder that it is in.", param_hint="PATH")
    for first in range(0, len(wanted), HINTS_AT_ONCE):
        api.command("POST", f"/libraries/{library['id']}/hints", {"paths": wanted[first : first + HINTS_AT_ONCE]})
    note(f"{words.counted(len(wanted), 'path')} noted; a scan follows in a moment: linstock run ls")


def _relative(library: "Json", path: str, param: str) -> Path:
    wanted = Path(path)
    if not wanted.is_absolute():
        return wanted
    if not wanted.is_relative_to(library["path"]):
        what = f"it is not in {words.printable(library['path'])}, where the library is."
        raise click.BadParameter(what, param_hint=param)
    return wanted.relative_to(library["path"])


def scope(library: "Json", path: str) -> "Json":
    """A part of the library as the API names it; `path` may begin at the root of the disk, too."""
    wanted = _relative(library, path, "--path")
    raw = b"" if wanted == Path() else os.fsencode(wanted)
    text = raw.decode(errors="replace")
    encoded = {"pathBytes": base64.b64encode(raw).decode()} if text.encode() != raw else {}
    return {"path": text, **encoded}


def change(api: "Api", screen: Screen, library: "Json", given: "Json") -> None:
    done = api.command("PATCH", f"/libraries/{library['id']}", given).body
    for warning in done.get("warnings") or ():
        note(f"Warning: {warning}")
    changed = done if "path" in done else api.get(f"/libraries/{library['id']}")
    screen.one(changed, _fields(changed))


def show(api: "Api", screen: Screen, library: "Json") -> None:
    """With JSON wanted: the library, with `statistics` and `schedule` (null where there is none)."""
    statistics = api.find(f"/libraries/{library['id']}/statistics")
    schedule = api.find(f"/scheduledjobs/library/{library['id']}")
    scans = api.find(f"/libraries/{library['id']}/scans", pageSize=1) or {"data": []}
    whole = {**library, "statistics": statistics, "schedule": schedule}
    screen.one(whole, [*_told(library, statistics or {}, schedule), *_unread(scans["data"])])


def remove(api: "Api", library: "Json", *, asked: bool) -> None:
    """Raises click.UsageError when it has to ask and nobody is there."""
    if asked:
        if not somebody_is_there():
            raise click.UsageError("Nobody is there to be asked: add --yes to remove it.")
        _, collections = api.rows(f"/libraries/{library['id']}/collections", 1)
        note(f"{library['name']} ({library['path']}) goes, with its schedule and the catalogue of its "
             f"{words.counted(collections, 'collection')}. Nothing on disk is touched.")  # fmt: skip
        if not click.confirm("Remove it?", err=True):
            raise Ended("Nothing was removed.")
    api.command("DELETE", f"/libraries/{library['id']}")
    note(f"Removed {library['name']}.")


def _scan_it(api: "Api", library: "Json", *, wait: bool) -> "Json":
    from linstock.cli import watch

    started = scan(api, library["id"])
    if wait:
        return watch.until_ended(api, started["id"], kind="scans")
    note(f"It is being scanned. Look on: linstock run show {words.short(started['id'])} --wait")
    return started


def _naming_the_holder(api: "Api", path: str, ended: Ended) -> Ended:
    """A refusal, with the library that has the folder already."""
    if ended.exit_code != Exit.REFUSED:
        return ended
    rows, _ = api.rows("/libraries", 20_000)
    holder = next((row for row in rows if row["path"] == path), None)
    if holder is None:
        return ended
    return Ended(f"{words.printable(path)} is a library already: {words.printable(holder['name'])} ({holder['id']}). "
                 f"Scan it: linstock lib scan {words.short(holder['id'])}", Exit.REFUSED)  # fmt: skip


def _fields(library: "Json") -> Iterator[tuple[str, object]]:
    yield "library", library["id"]
    yield "name", library["name"]
    yield "path", library["path"]
    yield "description", library.get("description")
    if library.get("includeSubfolders") is False:
        yield "subfolders", "no"
    yield "leaves out", ", ".join(library.get("excludePatterns") or ())
    yield "extensions", " ".join(library.get("extensions") or ())
    if guard := library.get("guard"):
        yield "may go unasked", _guarded(guard)
    if days := library.get("purgeMissingAfterDays"):
        yield "forgets", f"what has been missing for {words.counted(days, 'day')}"
    if watching := library.get("watching"):
        yield "watched", f"{watching['mode']}. {watching['reason']}".removesuffix(" ").removesuffix(".")
    yield "scans", f"{library['cronExpression']} {library['timeZone']}" if library["autoScan"] else "only when asked"


def _guarded(guard: "Json") -> str:
    return (
        f"{guard['maxRemovedPercent']} % of the collections, {guard['minAlways']:,} always,"
        f" never more than {guard['maxRemoved']:,}"
    )


def _told(library: "Json", statistics: "Json", schedule: "Json | None") -> Iterator[tuple[str, object]]:
    yield from _fields(library)
    if statistics:
        yield from _contents(library["id"], statistics)
    if held := library.get("heldRemovals"):
        yield "held back", f"{held['message']} linstock lib removals ls {words.short(library['id'])}"
    if schedule is not None:
        yield "schedule", schedule["id"]
        yield from schedules.timing(schedule)
        yield "last error", statistics.get("lastErrorMessage") or schedule.get("lastErrorMessage")


def _unread(scans: "list[Json]") -> Iterator[tuple[str, object]]:
    """Of the latest scan."""
    for scan in scans:
        if errors := (scan["counts"] or {}).get("errors"):
            yield "could not be read", f"{errors:,}: linstock run show {words.short(scan['id'])}"


def _contents(library_id: str, statistics: "Json") -> Iterator[tuple[str, object]]:
    missing = f", {statistics['missingCollections']:,} missing" if statistics["missingCollections"] else ""
    yield "holds", f"{_amount(statistics)}{missing}"
    if statistics.get("readCollections") is not None:
        looked, covers = statistics["readCollections"], words.counted(statistics["covers"], "cover")
        yield "looked into", f"{words.counted(looked, 'collection')}, {covers}"
    if flawed := statistics.get("quarantinedFiles"):
        yield "in quarantine", f"{words.counted(flawed, 'file')}: linstock lib quarantine {words.short(library_id)}"
    yield "in 7 days", _amount(statistics["growth"]["last7Days"], sign="+")
    rate = "" if statistics["successRate"] is None else f", {statistics['successRate']:g} % successful"
    yield "runs", f"{statistics['runs']:,}{rate}"
    if statistics["lastRunAt"]:
        yield "last run", f"{words.moment(statistics['lastRunAt'])} {statistics['lastRunStatus']}"


def _amount(of: "Json", sign: str = "") -> str:
    collections = words.counted(of["collections"], "collection", sign=sign)
    return f"{collections}, {words.counted(of['images'], 'image', sign=sign)} ({words.size(of['bytes'])})"


def somebody_is_there() -> bool:
    return sys.stdin.isatty()
