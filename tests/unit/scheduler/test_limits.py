"""What a schedule may not be told, and which field is named."""

from typing import Any

import pytest

from linstock.bus.inbox import Refused
from linstock.messages.schedule import JobPolicy, Timing
from services.scheduler import limits

GOOD: dict[str, Any] = {
    "name": "Nightly",
    "description": "every\nnight",
    "timing": Timing(expression="0 2 * * *", zone="Europe/Berlin"),
    "policy": JobPolicy(),
    "scan_mode": "deep",
}


def test_what_is_in_order_passes() -> None:
    limits.check(**GOOD)
    limits.check_reason("no longer\nneeded")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"description": "\0"}, "description"),
        ({"timing": Timing(expression="every day", zone="UTC")}, "cronExpression"),
        ({"timing": Timing(expression="0 2 * * *", zone="Mars/Olympus")}, "timeZone"),
        ({"policy": JobPolicy(priority=11)}, "priority"),
        ({"policy": JobPolicy(timeout_s=0)}, "timeoutMinutes"),
        ({"policy": JobPolicy(max_retries=-1)}, "maxRetryAttempts"),
        ({"scan_mode": "Full"}, "scanMode"),
    ],
)
def test_the_field_is_named_as_over_http(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        limits.check(**GOOD | wrong)
    answer = refused.value.answer
    assert (answer.status, answer.code, answer.field) == (422, "invalid", field)


def test_a_reason_is_text_too() -> None:
    with pytest.raises(Refused):
        limits.check_reason("\0")
