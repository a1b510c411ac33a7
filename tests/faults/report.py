"""Counts beside what they may be, and how they are printed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """`allowed` None: for information. `at_least`: a count that shows that the run meant anything. `at_most`: of what
    costs little, some."""

    what: str
    value: int | float | str
    allowed: float | str | None = None
    at_least: bool = False
    at_most: bool = False

    @property
    def ok(self) -> bool:
        if self.allowed is None:
            return True
        if self.at_least or self.at_most:
            value, allowed = self.value, self.allowed
            if isinstance(value, str) or isinstance(allowed, str):
                return False
            return value >= allowed if self.at_least else value <= allowed
        return self.value == self.allowed

    def row(self) -> tuple[str, str, str, str]:
        sign = "≥ " if self.at_least else "≤ " if self.at_most else ""
        allowed = "" if self.allowed is None else f"{sign}{self.allowed}"
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
