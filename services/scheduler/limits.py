"""What a schedule may be told, wherever it comes from. Pure."""

from linstock import cron, text
from linstock.bus.inbox import Refused
from linstock.messages.schedule import JobPolicy, Timing

MODES = ("changed", "deep")
NAME_LIMIT = 200  # characters
DESCRIPTION_LIMIT = 2000  # characters
REASON_LIMIT = 500  # characters
PRIORITIES = range(1, 11)
LONGEST_TIMEOUT_S = 7 * 24 * 3600
MOST_RETRIES = 20


def check_mode(mode: str) -> None:
    if mode not in MODES:
        raise invalid("scanMode", f"it is {' or '.join(MODES)}")


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
    try:
        cron.check(timing.expression, timing.zone)
    except cron.InvalidCron as error:
        raise invalid("timeZone" if error.field == "zone" else "cronExpression", str(error)) from error


def tidy(timing: Timing) -> Timing:
    """The expression in the one way that is stored."""
    return Timing(expression=" ".join(timing.expression.split()), zone=timing.zone)


def check_reason(reason: str) -> None:
    """Of a cancellation. Raises Refused (422)."""
    _check_text("reason", reason, REASON_LIMIT, text.LINES)


def invalid(field: str, reason: str) -> Refused:
    """`field` is named as over HTTP; `reason` is a sentence's end."""
    return Refused(422, "invalid", reason, field=field)


def _check_text(field: str, given: str, limit: int, allowed: str = "") -> None:
    if len(given) > limit:
        raise invalid(field, f"it has at most {limit} characters")
    if reason := text.flaw(given, allowed):
        raise invalid(field, reason)
