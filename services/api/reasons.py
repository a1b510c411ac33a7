"""Why an instant fired as it did, or not at all, in plain words. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.api.dto.ticks import BackfilledTickDto

_SKIPPED = {
    "overlap": "another run was still going",
    "misfire": "its time passed while no scheduler could act, and the misfire policy did not fire it afterwards",
    "paused": "the schedule was paused",
    "disabled": "the schedule was disabled",
    "outside_window": "it lies outside the times at which the schedule may fire",
    "limit": "the schedule had reached a limit",
    "clock_change": "the clocks skipped its wall time, or showed it a second time",
}
_SKIPPED_ALL = {
    "misfire": "their time passed while no scheduler could act, and the misfire policy fired none of them afterwards",
    "outside_window": "they lie outside the times at which the schedule may fire",
    "clock_change": "the clocks skipped their wall times, or showed them a second time",
}
MOVED = "The clocks skipped its wall time, so it fired where the gap ends."


def of_fired(verdict: str, *, late: timedelta, missed: int, moved: bool) -> str:
    match verdict:
        case "fired":
            how = "It fired at its time."
        case "late":
            how = f"It fired {lasting(late)} late."
        case _:
            instead = f", in place of {missed:,} earlier {'one' if missed == 1 else 'ones'} too" if missed else ""
            how = f"It was made up for {lasting(late)} later{instead}: no scheduler could act at its time."
    return f"{how} {MOVED}" if moved else how


def of_skipped(reason: str, *, count: int, busy: UUID | None, calendar: str | None = None) -> str:
    """A reason that is not known here is said as it is."""
    many = count > 1
    why = (_SKIPPED_ALL.get(reason) if many else None) or _SKIPPED.get(reason) or reason.replace("_", " ")
    if calendar:
        why = f"calendar '{calendar}' excludes {'them' if many else 'it'}"
    run = f" (run {busy})" if busy else ""
    return f"{f'None of these {count:,} fired' if many else 'It did not fire'}: {why}{run}."


def of_backfilled(made_up: Sequence[BackfilledTickDto], *, of: int) -> list[str]:
    """A sentence, if there is one to say, about an entry of so many instants."""
    if not made_up:
        return []
    if of > 1:
        return [f"{len(made_up):,} of them {'was' if len(made_up) == 1 else 'were'} made up for later, on request."]
    return [f"{made_up[0].by} had it made up for on {utc(made_up[0].at)} (run {made_up[0].run_id})."]


def lasting(time: timedelta) -> str:
    """To a tenth of a second, then to the second, then to the minute."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
