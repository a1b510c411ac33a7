"""What a command shows: tables for people, JSON for programs. stdout has the answer, stderr everything else."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import rich_click as click

from linstock.cli.words import printable

Row = dict[str, Any]

_STYLES = {
    "Completed": "green", "Failed": "red", "Timeout": "red", "Cancelled": "dim", "Running": "cyan",
    "Retrying": "yellow", "Paused": "yellow", "Pending": "dim", "on": "green", "off": "dim", "ok": "green",
    "warning": "yellow", "failed": "red", "fired": "green", "late": "yellow", "caught_up": "yellow", "skipped": "red",
}  # fmt: skip


class Column(NamedTuple):
    """`of` gives the cell's text."""

    title: str
    of: Callable[[Row], object]
    right: bool = False
    folds: bool = False
    """May take several lines where a terminal is narrow."""


class Screen:
    """`form` is table, json or jsonl. JSON is what the API answered, unchanged; tables are for eyes and may change."""

    def __init__(self, form: str) -> None:
        self.form = form

    def rows(self, rows: Sequence[Row], columns: Sequence[Column], *, none: str) -> None:
        """A list: a table, a JSON array, or a line each. `none` is said where there is nothing to show."""
        if self.form == "table":
            if rows:
                self.table([[printable(column.of(row)) for column in columns] for row in rows], columns)
            else:
                note(none)
        elif self.form == "json":
            click.echo(_json(list(rows), indent=2))
        else:
            for row in rows:
                self.line(row)

    def one(self, thing: Row, fields: Iterable[tuple[str, object]]) -> None:
        """One thing: its fields below each other, or one JSON object."""
        if self.form != "table":
            click.echo(_json(thing, indent=2 if self.form == "json" else None))
            return
        shown = [(title, printable(value)) for title, value in fields if value not in (None, "")]
        width = max((len(title) for title, _ in shown), default=0)
        for title, value in shown:
            click.echo(f"{title:<{width}}  {self.coloured(value, _STYLES.get(value))}")

    def line(self, thing: object) -> None:
        """One JSON line of a stream."""
        click.echo(_json(thing, indent=None))

    def say(self, sentence: str) -> None:
        """The answer in words; nothing where JSON is wanted."""
        if self.form == "table":
            click.echo(printable(sentence))

    def coloured(self, text: str, colour: str | None) -> str:
        """On a terminal that wants colours; elsewhere the text."""
        wanted = colour not in (None, "dim") and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        return click.style(text, fg=colour) if wanted else text

    def table(self, cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
        if sys.stdout.isatty():
            _rich_table(cells, columns)
        else:
            _plain_table(cells, columns)


def note(sentence: str) -> None:
    """Warnings, hints and progress."""
    click.echo(printable(sentence), err=True)


def more(shown: int, total: int) -> None:
    """Say when a list was cut."""
    if shown < total:
        note(f"{shown:,} of {total:,}; --limit {total} shows all.")


def _json(thing: object, indent: int | None) -> str:
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    return json.dumps(thing, ensure_ascii=not unicode, indent=indent)


def _rich_table(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
    # Imported here: only a terminal needs it.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.title, justify="right" if column.right else "left", overflow="fold", no_wrap=not column.folds
        )
    for row in cells:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


def _plain_table(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
    """Aligned by what a cell takes on a terminal: Chinese is twice as wide as Latin."""
    from rich.cells import cell_len

    lines = [[column.title for column in columns], *cells]
    widths = [max(cell_len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        padded = []
        for cell, column, width in zip(line, columns, widths, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if column.right else cell + space)
        click.echo("  ".join(padded).rstrip())
