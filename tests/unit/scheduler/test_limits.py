"""What a schedule may not be told, and which field is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from linstock.bus.inbox import Refused
from linstock.messages.rules import Rules, Timing, Window
from linstock.messages.schedule import JobPolicy, ScanPath
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


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"misfire": "sometimes"}, "misfirePolicy"),
        ({"overlap": "allow_all"}, "overlapPolicy"),
        ({"catchup_window_s": 9}, "catchupWindowSeconds"),
        ({"catchup_limit": 1001}, "catchupLimit"),
        ({"buffer_limit": 0}, "bufferLimit"),
        ({"jitter_s": 86_401}, "jitterSeconds"),
        ({"max_runs": 0}, "maxRuns"),
        ({"pause_after_failures": 0}, "pauseAfterFailures"),
        ({"starts_at": NOON, "ends_at": NOON - timedelta(seconds=1)}, "endsAt"),
        ({"excluded": (Window(first=NOON, last=NOON),) * 101}, "excluded"),
        ({"excluded": (Window(first=NOON, last=NOON - timedelta(seconds=1)),)}, "excluded/0/last"),
    ],
)
def test_rules_have_limits(wrong: dict[str, Any], field: str) -> None:
    limits.check_rules(Rules())
    with pytest.raises(Refused) as refused:
        limits.check_rules(Rules(**wrong))
    assert (refused.value.answer.status, refused.value.answer.field) == (422, field)


@pytest.mark.parametrize(
    "path",
    [ScanPath(path=""), ScanPath(path="2024/Rome"), ScanPath(path="..a/b.."), ScanPath(path="?", path_bytes=b"\xe9")],
)
def test_a_scope_is_a_path_below_the_library(path: ScanPath) -> None:
    limits.check_scope((path,))


@pytest.mark.parametrize(
    "path",
    [
        ScanPath(path="/etc"),
        ScanPath(path=".."),
        ScanPath(path="a/../../b"),
        ScanPath(path="./a"),
        ScanPath(path="a//b"),
        ScanPath(path="a/"),
        ScanPath(path="a\0b"),
        ScanPath(path="a", path_bytes=b"../b"),
        ScanPath(path="x" * 16_385),
    ],
)
def test_a_scope_leads_nowhere_else(path: ScanPath) -> None:
    with pytest.raises(Refused) as refused:
        limits.check_scope((ScanPath(path="fine"), path))
    assert (refused.value.answer.status, refused.value.answer.field) == (422, "scope/path")


def test_an_unknown_mode_is_refused_with_the_list() -> None:
    with pytest.raises(Refused) as refused:
        limits.check_mode("thorough")
    assert refused.value.answer.detail == "it is quick, changed, deep or verify"


@pytest.mark.parametrize(("wrong", "field"), [({"days": "xor"}, "days"), ({"clock_changes": "none"}, "clockChanges")])
def test_a_timing_has_few_words(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        limits.check(**GOOD | {"timing": Timing(expression="0 2 * * *", zone="UTC", **wrong)})
    assert refused.value.answer.field == field


def test_a_pause_ends_later_than_now() -> None:
    limits.check_pause("", NOON, NOON - timedelta(seconds=1))
    with pytest.raises(Refused):
        limits.check_pause("", NOON, NOON)


def test_a_reason_is_text_too() -> None:
    with pytest.raises(Refused):
        limits.check_reason("\0")
