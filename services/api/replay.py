"""What past runs would have come to at other instants: each is given the time that the run of its moment took. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

Overlap = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other"]

CLASHES_SHOWN = 20


class Run(Struct, frozen=True):
    """A run as it was."""

    started_at: datetime
    ended_at: datetime


class Clash(Struct, frozen=True):
    """At `instant` another run went on until `busy_until`. `outcome`: skipped | delayed | ended_other."""

    instant: datetime
    busy_until: datetime
    outcome: str


class Replay(Struct, kw_only=True):
    """`fired` + `skipped` is `instants`; `delayed` waited for another, `longest_delay_s` at most. `clashes` holds the
    first twenty."""

    instants: int = 0
    fired: int = 0
    skipped: int = 0
    delayed: int = 0
    ended_other: int = 0
    longest_delay_s: float = 0.0
    clashes: list[Clash] = []


def replay(instants: Sequence[datetime], runs: Sequence[Run], overlap: Overlap) -> Replay:
    """`instants` and `runs` ascend; without runs nothing takes any time, so nothing clashes."""
    told = Replay(instants=len(instants), clashes=[])
    begun = [run.started_at for run in runs]
    free_at: datetime | None = None  # when the last of what was begun, or waits, has ended
    waiting: list[datetime] = []  # when those that wait begin
    for instant in instants:
        took = _took(runs, bisect_right(begun, instant))
        waiting = [start for start in waiting if start > instant]
        if free_at is None or free_at <= instant:
            told.fired += 1
            free_at = instant + took
            continue
        outcome = _outcome(overlap, len(waiting))
        if len(told.clashes) < CLASHES_SHOWN:
            told.clashes.append(Clash(instant, free_at, outcome))
        setattr(told, outcome, getattr(told, outcome) + 1)
        if outcome == "skipped":
            continue
        told.fired += 1
        if outcome == "delayed":
            waiting.append(free_at)
            told.longest_delay_s = max(told.longest_delay_s, (free_at - instant).total_seconds())
            free_at += took
        else:
            free_at = instant + took
    return told


def _outcome(overlap: Overlap, waiting: int) -> str:
    match overlap:
        case "skip":
            return "skipped"
        case "buffer_one":
            return "skipped" if waiting else "delayed"
        case "buffer_all":
            return "delayed"
        case _:
            return "ended_other"


def _took(runs: Sequence[Run], after: int) -> timedelta:
    """Of the run that began last before the instant; before the first one, of that."""
    if not runs:
        return timedelta(0)
    run = runs[max(after - 1, 0)]
    return run.ended_at - run.started_at
