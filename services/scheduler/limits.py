"""What a schedule may be told, wherever it comes from. Pure."""

import unicodedata

from linstock import cron
from linstock.bus.inbox import Refused
from linstock.messages.schedule import JobPolicy, Timing

MODES = ("changed", "deep")
NAME_LIMIT = 200  # characters
DESCRIPTION_LIMIT = 2000  # characters
PRIORITIES = range(1, 11)
LONGEST_TIMEOUT_S = 7 * 24 * 3600
MOST_RETRIES = 20


def check_mode(mode: str) -> None:
    if mode not in MODES:
        raise _invalid("scanMode", f"it is {' or '.join(MODES)}")


def check(name: str, description: str, timing: Timing, policy: JobPolicy, scan_mode: str) -> None:
    """Raises Refused (422) for the first field that is wrong, named as over HTTP."""
    _check_text("name", name, NAME_LIMIT)
    _check_text("description", description, DESCRIPTION_LIMIT, "\n\t\r")
    check_mode(scan_mode)
    if policy.priority not in PRIORITIES:
        raise _invalid("priority", "it is 1 to 10")
    if not 1 <= policy.timeout_s <= LONGEST_TIMEOUT_S:
        raise _invalid("timeoutMinutes", "it is more than 0 and at most 10080, a week")
    if not 0 <= policy.max_retries <= MOST_RETRIES:
        raise _invalid("maxRetryAttempts", f"it is 0 to {MOST_RETRIES}")
    try:
        cron.check(timing.expression, timing.zone)
    except cron.InvalidCron as error:
        raise _invalid("timeZone" if error.field == "zone" else "cronExpression", str(error)) from error


def tidy(timing: Timing) -> Timing:
    """The expression in the one way that is stored."""
    return Timing(expression=" ".join(timing.expression.split()), zone=timing.zone)


def _check_text(field: str, text: str, limit: int, allowed: str = "") -> None:
    if len(text) > limit:
        raise _invalid(field, f"it has at most {limit} characters")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
            raise _invalid(field, f"it holds the character U+{ord(character):04X}")


def _invalid(field: str, reason: str) -> Refused:
    return Refused(422, "invalid", f"{field}: {reason}")
