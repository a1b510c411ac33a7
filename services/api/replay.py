"""What past runs would have come to at other instants: each is given the time that the run of its moment took. Where
nobody was there then, nobody is now. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from linstock.messages.rules import Rules
from services.api.absences import Absence, due

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
    """`fired` + `skipped` + `missed` is `instants`. `caught_up` of those that fired did so after an absence, and what
    is `missed` never did; `skipped` clashed with another run. `delayed` waited for another, `longest_delay_s` at most.
    `clashes` holds the first twenty."""

    instants: int = 0
    fired: int = 0
    caught_up: int = 0
    missed: int = 0
    skipped: int = 0
    delayed: int = 0
    ended_other: int = 0
    longest_delay_s: float = 0.0
    clashes: list[Clash] = []


def replay(instants: Sequence[datetime], runs: Sequence[Run], rules: Rules, absences: Sequence[Absence] = ()) -> Replay:
    """`instants`, `runs` and `absences` ascend; without runs nothing takes any time, so nothing clashes."""
    asked = due(instants, absences, rules)
    told = Replay(instants=len(instants), missed=len(instants) - sum(len(each.instants) for each in asked), clashes=[])
    begun = [run.started_at for run in runs]
    free_at: datetime | None = None  # when the last of what was begun, or waits, has ended
    waiting: list[datetime] = []  # when those that wait begin
    for each in asked:
        waiting = [start for start in waiting if start > each.at]
        took = _took(runs, bisect_right(begun, each.at))
        in_line = False
        for instant in each.instants:
            outcome = ""
            if free_at is not None and free_at > each.at:
                outcome = "delayed" if in_line else _outcome(rules, len(waiting))
                _clash(told, Clash(instant, free_at, outcome))
            if outcome == "skipped":
                continue
            told.fired += 1
            told.caught_up += each.at > instant
            in_line = in_line or outcome != "delayed"  # it goes on now: what fires with it waits for it
            if outcome == "delayed" and free_at is not None:
                waiting.append(free_at)
                told.longest_delay_s = max(told.longest_delay_s, (free_at - each.at).total_seconds())
                free_at += took
            else:
                free_at = each.at + took
    return told


def _clash(told: Replay, clash: Clash) -> None:
    if len(told.clashes) < CLASHES_SHOWN:
        told.clashes.append(clash)
    setattr(told, clash.outcome, getattr(told, clash.outcome) + 1)


def _outcome(rules: Rules, waiting: int) -> str:
    match rules.overlap:
        case "skip":
            return "skipped"
        case "buffer_one":
            return "skipped" if waiting else "delayed"
        case "buffer_all":
            return "skipped" if waiting >= rules.buffer_limit else "delayed"
        case _:
            return "ended_other"


def _took(runs: Sequence[Run], after: int) -> timedelta:
    """Of the run that began last before the instant; before the first one, of that."""
    if not runs:
        return timedelta(0)
    run = runs[max(after - 1, 0)]
    return run.ended_at - run.started_at
