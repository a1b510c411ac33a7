"""The demo itself: start, add, wait for the first tick, show, and say how to look on."""

import os
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from linstock.cli import runs, watch, words
from linstock.cli.api import Api, Json
from linstock.cli.exits import Ended
from linstock.cli.screen import Column, Screen, note
from services.demo import gallery

NAME = "Demo"
EVERY_MINUTE = "* * * * *"
RECENT = timedelta(seconds=60)
TICK_WITHIN_S = 150.0
START_WITHIN_S = 180.0
POLL_S = 0.25
MOST_COLLECTIONS = 200

_COLLECTIONS = (
    Column("COLLECTION", lambda row: row["path"] or row["name"], folds=True),
    Column("KIND", lambda row: row["kind"]),
    Column("IMAGES", lambda row: words.number(row["imageCount"]), right=True),
    Column("SIZE", lambda row: words.size(row["bytes"]), right=True),
)


def run(data_dir: Path, port: int) -> None:
    """Raises Ended when Linstock does not start, or no tick comes."""
    begun = datetime.now(UTC)
    pictures = data_dir.absolute() / "pictures"
    url = _start(data_dir, port)
    note(f"Making pictures in {pictures}")
    gallery.make(pictures)
    with Api(url) as api:
        library = _library(api, pictures)
        scan = _first_tick(api, library, since=begun - RECENT)
        _show(api, library, scan, pictures)
    _say_how_to_go_on(data_dir, url)


def _start(data_dir: Path, port: int) -> str:
    """The URL of a Linstock that is ready."""
    argv = [sys.executable, "-m", "linstock", "up", "--detach", "--data-dir", str(data_dir), "--port", str(port)]
    # What the environment says of a Linstock is about yours: its servers, its tokens, its roots.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")}
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False, env=environment,
                          stdin=subprocess.DEVNULL, timeout=START_WITHIN_S)  # fmt: skip
    if done.returncode:
        raise Ended("The demo's Linstock did not start: the reason is above. Another port: --port 9001")
    return done.stdout.splitlines()[-1]


def _library(api: Api, pictures: Path) -> Json:
    """The one that is there from an earlier demo, or a new one; scheduled every minute."""
    wish = {"autoScan": True, "cronExpression": EVERY_MINUTE}
    rows, _ = api.rows("/libraries", 1_000)
    known = next((row for row in rows if row["path"] == str(pictures)), None)
    if known is not None:
        api.command("PATCH", f"/libraries/{known['id']}", wish)
        return known
    note(f"Adding them as the library {NAME}, scanned every minute")
    return api.command("POST", "/libraries", {"name": NAME, "path": str(pictures), **wish}).body


def _first_tick(api: Api, library: Json, since: datetime) -> Json:
    """The newest scan that the schedule asked for, as soon as it has ended."""
    schedule = api.get(f"/scheduledjobs/library/{library['id']}")
    note(f"Waiting for the next tick, at {words.moment(schedule['nextRunAt'])}")
    until = time.monotonic() + TICK_WITHIN_S
    while time.monotonic() < until:
        found, _ = api.rows(f"/scheduledjobs/{schedule['id']}/runs", 5)
        for each in found:
            if each["triggeredBy"] == "Scheduler" and datetime.fromisoformat(each["requestedAt"]) >= since:
                return watch.until_ended(api, each["id"], kind="scans")
        time.sleep(POLL_S)
    raise Ended(f"No tick came within {TICK_WITHIN_S:g} s. See: {_linstock()} doctor")


def _show(api: Api, library: Json, scan: Json, pictures: Path) -> None:
    screen = Screen("table")
    collections, _ = api.rows(f"/libraries/{library['id']}/collections", MOST_COLLECTIONS)
    click.echo("\nWhat it found\n")
    screen.rows(collections, _COLLECTIONS, none="Nothing.")
    click.echo("\nThe scan, what failed and why\n")
    runs.show(screen, scan)
    if gallery.readable(pictures):
        click.echo(f"\n{gallery.CLOSED}/ is closed (mode 000) and would be listed here as unreadable, "
                   "but to root, as whom this runs, nothing is closed.")  # fmt: skip


def _say_how_to_go_on(data_dir: Path, url: str) -> None:
    linstock, where = _linstock(), f"--data-dir {shlex.quote(str(data_dir))}"
    click.echo(
        f"""
It goes on every minute at {url}

  {url}/docs
  {linstock} lib show {NAME} {where}
  {linstock} run ls {where}
  {linstock} logs -f {where}

Stop:    {linstock} down {where}
Remove:  rm -r {shlex.quote(str(data_dir))}"""
    )


def _linstock() -> str:
    """The command as it can be typed here."""
    own = Path(sys.executable).with_name("linstock")
    inside = own.is_relative_to(Path.cwd())
    return shlex.quote(str(own.relative_to(Path.cwd()) if inside else own))
