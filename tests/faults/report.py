"""Counts beside what they may be, and how they are printed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """`allowed` None: for information. `at_least`: a count that shows that the run meant anything."""

    what: str
    value: int | float | str
    allowed: int | str | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool:
        if self.allowed is None:
            return True
        if self.at_least:
            return isinstance(self.value, int | float) and isinstance(self.allowed, int) and self.value >= self.allowed
        return self.value == self.allowed

    def row(self) -> tuple[str, str, str, str]:
        allowed = "" if self.allowed is None else f"≥ {self.allowed}" if self.at_least else str(self.allowed)
        return self.what, _text(self.value), allowed, "" if self.allowed is None else "ok" if self.ok else "MISS"


def _text(value: float | str) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def print_table(title: str, counts: Iterable[Count]) -> bool:
    """True when nothing was missed."""
    counts = list(counts)
    rows = [("", "counted", "allowed", ""), *(count.row() for count in counts)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    print(f"\n{title}")
    for what, value, allowed, verdict in rows:
        print(f"  {what:<{widths[0]}}  {value:>{widths[1]}}  {allowed:>{widths[2]}}  {verdict}".rstrip(), flush=True)
    return all(count.ok for count in counts)


def progress(text: str) -> None:
    print(f"  {text}", flush=True)
