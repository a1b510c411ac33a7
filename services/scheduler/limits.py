"""What a schedule may be told, wherever it comes from. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast, get_args

from msgspec.structs import replace

from linstock import cron, text
from linstock.bus.inbox import Refused
from linstock.messages.rules import Rules, Timing
from linstock.messages.schedule import JobPolicy, ScanPath
from linstock.messages.schedule_commands import BackfillSchedule

MODES = ("quick", "changed", "deep", "verify")
NAME_LIMIT = 200  # characters
DESCRIPTION_LIMIT = 2000  # characters
REASON_LIMIT = 500  # characters
PRIORITIES = range(1, 11)
LONGEST_TIMEOUT_S = 7 * 24 * 3600
MOST_RETRIES = 20
MISFIRES = ("fire_once", "fire_all", "skip")
OVERLAPS = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")
CATCHUP_WINDOWS_S = range(10, 366 * 24 * 3600 + 1)
COUNTS = range(1, 1001)  # of what is caught up, or waits
JITTERS_S = range(86_401)
MOST_EXCLUDED = 100
MOST_CALENDARS = 10
MOST_PATHS = 1000
PATH_LIMIT_BYTES = 16 * 1024
MOST_RUNS = 1_000_000_000
MOST_FAILURES = 1000
BACKFILLED = range(1, 201)  # instants at once
LONGEST_BACKFILL = timedelta(days=3660)


def check_mode(mode: str) -> None:
    _check_word("scanMode", mode, MODES)


def check_paths(paths: tuple[ScanPath, ...]) -> None:
    """What changed below a library's root. Raises Refused (422)."""
    if not paths:
        raise invalid("paths", "there is at least one path")
    _check_paths(paths, "paths", "paths/{}")


def check_scope(scope: tuple[ScanPath, ...]) -> None:
    """Paths below a library's root, whatever is there. Raises Refused (422)."""
    _check_paths(scope, "scope", "scope/path")


def _check_paths(paths: tuple[ScanPath, ...], field: str, each: str) -> None:
    """`each` names one of them, by its number."""
    if len(paths) > MOST_PATHS:
        raise invalid(field, f"there are at most {MOST_PATHS} paths")
    for number, wanted in enumerate(paths):
        where = each.format(number)
        path = wanted.path.encode() if wanted.path_bytes is None else wanted.path_bytes
        if len(path) > PATH_LIMIT_BYTES:
            raise invalid(where, f"it has at most {PATH_LIMIT_BYTES} bytes")
        if b"\0" in path:
            raise invalid(where, "it holds the character U+0000")
        if path.startswith(b"/"):
            raise invalid(where, "it is relative to the library's folder")
        if path and {b"", b".", b".."} & set(path.split(b"/")):
            raise invalid(where, "each of its parts is a name, such as 2024/Holidays")


def check(name: str, description: str, timing: Timing, policy: JobPolicy, scan_mode: str) -> None:
    """Raises Refused (422) for the first field that is wrong, named as over HTTP."""
    _check_text("name", name, NAME_LIMIT)
    _check_text("description", description, DESCRIPTION_LIMIT, text.LINES)
    check_mode(scan_mode)
    if policy.priority not in PRIORITIES:
        raise invalid("priority", "it is 1 to 10")
    if not 1 <= policy.timeout_s <= LONGEST_TIMEOUT_S:
        raise invalid("timeoutMinutes", "it is more than 0 and at most 10080, a week")
    if not 0 <= policy.max_retries <= MOST_RETRIES:
        raise invalid("maxRetryAttempts", f"it is 0 to {MOST_RETRIES}")
    if timing.days not in get_args(cron.Days):
        raise invalid("days", "it is and, or or")
    if timing.clock_changes not in get_args(cron.ClockChanges):
        raise invalid("clockChanges", "it is cronos or literal")
    try:
        cron.check(timing.expression, timing.zone, days=cast("cron.Days", timing.days))
    except cron.InvalidCron as error:
        raise invalid("timeZone" if error.field == "zone" else "cronExpression", str(error)) from error


def tidy(timing: Timing) -> Timing:
    """The expression in the one way that is stored."""
    return replace(timing, expression=" ".join(timing.expression.split()))


def check_rules(rules: Rules) -> None:
    """Raises Refused (422) for the first that is wrong."""
    if rules.overlap == "allow_all":
        raise invalid("overlapPolicy", "two scans of a library at once would take its catalogue from each other")
    _check_word("misfirePolicy", rules.misfire, MISFIRES)
    _check_word("overlapPolicy", rules.overlap, OVERLAPS)
    _check_number("catchupWindowSeconds", rules.catchup_window_s, CATCHUP_WINDOWS_S)
    _check_number("catchupLimit", rules.catchup_limit, COUNTS)
    _check_number("bufferLimit", rules.buffer_limit, COUNTS)
    _check_number("jitterSeconds", rules.jitter_s, JITTERS_S)
    if rules.max_runs is not None:
        _check_number("maxRuns", rules.max_runs, range(1, MOST_RUNS + 1))
    if rules.pause_after_failures is not None:
        _check_number("pauseAfterFailures", rules.pause_after_failures, range(1, MOST_FAILURES + 1))
    if rules.starts_at and rules.ends_at and rules.starts_at > rules.ends_at:
        raise invalid("endsAt", "it is before startsAt")
    if len(rules.excluded) > MOST_EXCLUDED:
        raise invalid("excluded", f"there are at most {MOST_EXCLUDED}")
    for number, window in enumerate(rules.excluded):
        if window.first > window.last:
            raise invalid(f"excluded/{number}/last", "it is before first")
    check_calendars([each.name for each in rules.calendars])


def check_calendars(wanted: Sequence[str]) -> None:
    """Of a schedule. Raises Refused (422)."""
    if len(wanted) > MOST_CALENDARS:
        raise invalid("calendars", f"there are at most {MOST_CALENDARS}")
    if len(set(wanted)) < len(wanted):
        raise invalid("calendars", "one is there twice")


def check_pause(reason: str, resume_at: datetime | None, now: datetime) -> None:
    """Raises Refused (422)."""
    check_reason(reason)
    if resume_at is not None and resume_at <= now:
        raise invalid("resumeAt", "it is past")


def check_backfill(command: BackfillSchedule, now: datetime) -> None:
    """Raises Refused (422)."""
    _check_number("limit", command.limit, BACKFILLED)
    if command.last > now:
        raise invalid("to", "it is not past yet")
    if command.first > command.last:
        raise invalid("from", "it is later than to")
    if command.last - command.first > LONGEST_BACKFILL:
        raise invalid("from", f"it is at most {LONGEST_BACKFILL.days} days before to")


def check_reason(reason: str) -> None:
    """Of a cancellation or a pause. Raises Refused (422)."""
    _check_text("reason", reason, REASON_LIMIT, text.LINES)


def invalid(field: str, reason: str) -> Refused:
    """`field` is named as over HTTP; `reason` is a sentence's end."""
    return Refused(422, "invalid", reason, field=field)


def _check_word(field: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise invalid(field, f"it is {', '.join(allowed[:-1])} or {allowed[-1]}")


def _check_number(field: str, given: int, allowed: range) -> None:
    if given not in allowed:
        raise invalid(field, f"it is {allowed[0]} to {allowed[-1]}")


def _check_text(field: str, given: str, limit: int, allowed: str = "") -> None:
    if len(given) > limit:
        raise invalid(field, f"it has at most {limit} characters")
    if reason := text.flaw(given, allowed):
        raise invalid(field, reason)
