"""Calendars as people read and write them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote

import rich_click as click

from linstock.cli import words
from linstock.cli.screen import Column, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

COLUMNS = (
    Column("NAME", lambda row: row["name"]),
    Column("DAYS", lambda row: words.number(row["dayCount"]), right=True),
    Column("FIRST", lambda row: row["firstDay"] or "-"),
    Column("LAST", lambda row: row["lastDay"] or "-"),
    Column("USED BY", lambda row: words.number(row["usedBy"]), right=True),
    Column("DESCRIPTION", lambda row: row["description"] or "-", folds=True),
)


def path(name: str) -> str:
    return f"/calendars/{quote(name, safe='')}"


def fields(calendar: "Json") -> Iterator[tuple[str, object]]:
    yield "calendar", calendar["name"]
    yield "description", calendar["description"]
    yield "used by", words.counted(calendar["usedBy"], "schedule")
    yield "changed", f"{words.moment(calendar['updatedAt'])} by {calendar['updatedBy']} (version {calendar['version']})"
    for number, day in enumerate(calendar["days"]):
        yield "" if number else "days", f"{date.fromisoformat(day):%a %Y-%m-%d}"


def read(file: str) -> list[date]:
    """A day a line. Raises click.UsageError naming the line."""
    try:
        with click.open_file(file, encoding="utf-8") as lines:
            return list(_days(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} can't be read: {error}.") from error


def _days(lines: Iterable[str]) -> Iterator[date]:
    for number, line in enumerate(lines, start=1):
        told = line.split()
        if told and not told[0].startswith("#"):
            try:
                yield date.fromisoformat(told[0])
            except ValueError as error:
                raise click.UsageError(f"Line {number}: {told[0]!r} is no day such as 2026-12-25.") from error


def put(api: "Api", name: str, days: Sequence[date], description: str | None) -> "Json":
    """What it is then. The description stays where none is given."""
    if description is None:
        description = (api.find(path(name)) or {}).get("description", "")
    body = {"days": [day.isoformat() for day in sorted(set(days))], "description": description}
    done = api.command("PUT", path(name), body).body
    return done if "days" in done else api.get(path(name))


def remove(api: "Api", name: str) -> None:
    api.command("DELETE", path(name))
    note(f"Removed {name}.")
