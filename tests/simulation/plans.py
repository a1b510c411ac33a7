"""Mixed schedules: what they say, beside what that means."""

import calendar
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

from linstock.messages.rules import Rules, Timing, Window
from tests.simulation.almanac import Plan

ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Lisbon", "Europe/Dublin", "Africa/Cairo", "Africa/Casablanca",
    "America/New_York", "America/Sao_Paulo", "America/St_Johns", "America/Santiago", "America/Havana", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Beirut", "Asia/Jerusalem", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland",
    "Pacific/Chatham",
)  # fmt: skip
DayRule = Callable[[date], bool]


def _last(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _nearest_workday(to: date) -> date:
    """Within the month."""
    near = (to, to - timedelta(1), to + timedelta(1), to - timedelta(2), to + timedelta(2))
    return next(each for each in near if each.month == to.month and each.weekday() < 5)


DAYS: dict[str, DayRule] = {
    "1": lambda day: day.day == 1,
    "31": lambda day: day.day == 31,
    "13,29": lambda day: day.day in (13, 29),
    "5-9": lambda day: 5 <= day.day <= 9,
    "10": lambda day: day.day == 10,
    "L": lambda day: day == _last(day),
    "L-3": lambda day: day == _last(day) - timedelta(3),
    "LW": lambda day: day == _nearest_workday(_last(day)),
    "15W": lambda day: day == _nearest_workday(day.replace(day=15)),
    "1W": lambda day: day == _nearest_workday(day.replace(day=1)),
}
WEEKDAYS: dict[str, DayRule] = {
    "MON-TUE": lambda day: day.weekday() < 2,
    "MON-FRI": lambda day: day.weekday() < 5,
    "SUN": lambda day: day.weekday() == 6,
    "0,3": lambda day: day.weekday() in (6, 2),
    "FRI-MON/3": lambda day: day.weekday() in (4, 0),
    "SUNL": lambda day: day.weekday() == 6 and (day + timedelta(7)).month != day.month,
    "0#2": lambda day: day.weekday() == 6 and 8 <= day.day <= 14,
    "5L": lambda day: day.weekday() == 4 and (day + timedelta(7)).month != day.month,
    "1#2": lambda day: day.weekday() == 0 and 8 <= day.day <= 14,
    "7#1": lambda day: day.weekday() == 6 and day.day <= 7,
}
CHANGES = "1,4,5,6,8,25,27,29", "3,4,9,10,11"
"""Days and months in which clocks change, almost all over the world."""
SECONDS = {"0": {0}, "17": {17}, "10,40": {10, 40}, "*/20": {0, 20, 40}}
MINUTES = {"0": {0}, "30": {30}, "15,59": {15, 59}, "*/30": {0, 30}, "58-2/2": {58, 0, 2}, "7": {7}}
HOURS = {"0": {0}, "1": {1}, "2": {2}, "3": {3}, "02": {2}, "01": {1}, "1,2": {1, 2}, "22-2/2": {22, 0, 2}, "14": {14}}
INTERVALS = {"@every 98h/7m": (352_800, 420), "@every 3d": (259_200, 0), "@every 50h30m": (181_800, 0)}
DENSE = {"@every 90s": (90, 0), "@every 75s/3s": (75, 3), "@every 5m": (300, 0)}


def plan(chance: random.Random) -> Plan:
    """What recurs every few hours to months."""
    if chance.random() < 0.1:
        return _interval(chance, INTERVALS)
    zone, changes = chance.choice(ZONES), chance.choice(("cronos", "cronos", "literal"))
    if chance.random() < 0.03:
        timing = Timing(expression="@monthly", zone=zone, clock_changes=changes)
        return Plan(timing, minutes=frozenset({0}), hours=frozenset({0}), on=DAYS["1"])
    second = chance.choice(("", "", "", "", "17", _rarely(chance, SECONDS)))
    minute, hour = _rarely(chance, MINUTES), _rarely(chance, HOURS)
    day, month, weekday, days, on = _day(chance)
    fields = f"{second} {minute} {hour} {day} {month} {weekday}".strip()
    return Plan(
        Timing(expression=fields, zone=zone, days=days, clock_changes=changes),
        seconds=frozenset(SECONDS[second or "0"]),
        minutes=frozenset(MINUTES[minute]),
        hours=frozenset(HOURS[hour]),
        on=on,
        recurring=any(sign in text for text in (second, minute, hour) for sign in "*-/"),
    )


def dense_plan(chance: random.Random) -> Plan:
    """What recurs within minutes: for a few hours of the year, or it would be all there is."""
    return _interval(chance, DENSE)


def _rarely(chance: random.Random, known: dict[str, set[int]]) -> str:
    """Several values only now and then: each costs a year of ticks."""
    return chance.choice([text for text, values in known.items() if len(values) == 1 or chance.random() < 0.1])


def _interval(chance: random.Random, known: dict[str, tuple[int, int]]) -> Plan:
    text = chance.choice(list(known))
    return Plan(Timing(expression=text, zone="UTC"), every_s=known[text][0], phase_s=known[text][1])


def _day(chance: random.Random) -> tuple[str, str, str, str, DayRule]:
    kind = chance.random()
    day, weekday = chance.choice(list(DAYS)), chance.choice(list(WEEKDAYS))
    if kind < 0.06:
        return "*", "*", "*", "and", lambda _: True
    if kind < 0.2:
        days, months = CHANGES
        return (
            days,
            months,
            "*",
            "and",
            lambda each: str(each.day) in days.split(",") and str(each.month) in months.split(","),
        )
    if kind < 0.5:
        return day, "*", "?", chance.choice(("and", "or")), DAYS[day]
    if kind < 0.8:
        return "?", "*", weekday, chance.choice(("and", "or")), WEEKDAYS[weekday]
    if kind < 0.88:
        weekday = chance.choice(("MON-FRI", "SUN", "1#2"))
        return "5-9", "*", weekday, "and", lambda each: DAYS["5-9"](each) and WEEKDAYS[weekday](each)
    return day, "*", weekday, "or", lambda each: DAYS[day](each) or WEEKDAYS[weekday](each)


def rules(chance: random.Random, start: datetime, days: int) -> Rules:
    return Rules(
        misfire=chance.choice(("fire_once", "fire_once", "fire_all", "skip")),
        catchup_window_s=chance.choice((60, 3600, 86_400, 7 * 86_400)),
        catchup_limit=chance.choice((1, 3, 100)),
        overlap=chance.choice(("skip", "skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")),
        buffer_limit=chance.choice((1, 3)),
        jitter_s=chance.choice((0, 0, 0, 5, 600)),
        starts_at=None if chance.random() < 0.8 else start + timedelta(hours=chance.uniform(0, days * 12)),
        ends_at=None if chance.random() < 0.9 else start + timedelta(hours=chance.uniform(days * 12, days * 24)),
        excluded=_windows(chance, start, days),
        max_runs=chance.choice((None, None, None, 2, 30)),
        pause_after_failures=chance.choice((None, None, 2)),
    )


def dense_rules(chance: random.Random, start: datetime, days: int) -> Rules:
    """A few hours inside, the rest outside."""
    first = start + timedelta(hours=chance.uniform(0, days * 23))
    return Rules(
        misfire=chance.choice(("fire_once", "fire_all", "skip")),
        overlap=chance.choice(("skip", "buffer_one", "terminate_other")),
        starts_at=first,
        ends_at=first + timedelta(minutes=chance.uniform(5, 60)),
    )


def _windows(chance: random.Random, start: datetime, days: int) -> tuple[Window, ...]:
    firsts = [start + timedelta(hours=chance.uniform(0, days * 24)) for _ in range(chance.choice((0, 0, 1, 4)))]
    return tuple(Window(first=first, last=first + timedelta(hours=chance.uniform(0, 200))) for first in firsts)
