"""What may surprise whoever wrote an expression."""

from datetime import UTC, datetime

import pytest

from linstock.cron import ClockChanges
from linstock.cron.warnings import warnings

SPRING = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        ("0 12 * * *", "cronos", []),
        (
            "30 2 * * *",
            "cronos",
            [
                "On 2026-03-29 in Europe/Berlin the clocks skip 02:00 to 03:00: 02:30 fires at 03:00.",
                "On 2026-10-25 in Europe/Berlin the clocks show 02:00 to 03:00 twice: 02:30 fires the first time only.",
            ],
        ),
        (
            "30 2 * * *",
            "literal",
            [
                "On 2026-03-29 in Europe/Berlin the clocks skip 02:00 to 03:00: 02:30 does not fire.",
                "On 2026-10-25 in Europe/Berlin the clocks show 02:00 to 03:00 twice: 02:30 fires both times.",
            ],
        ),
        ("*/30 * * * *", "cronos", []),
    ],
)
def test_clock_changes_of_the_next_year(expression: str, changes: ClockChanges, expected: list[str]) -> None:
    assert warnings(expression, "Europe/Berlin", SPRING, changes=changes) == expected
    assert warnings(expression, "UTC", SPRING, changes=changes) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 31 * *", ["It skips February, April, June, September and November: there is no day 31."]),
        ("0 0 30 1,2 *", ["It skips February: there is no day 30."]),
        ("0 0 29 * *", ["It skips February in most years: there is no day 29."]),
        ("0 0 L * *", []),
        ("0 0 28-31 * *", []),
        ("* * * * *", ["It fires 1,440 times a day."]),
        ("*/5 * * * *", []),
        ("@every 1s", ["It fires 86,400 times a day."]),
        ("@every 90m", []),
    ],
)
def test_short_months_and_torrents(expression: str, expected: list[str]) -> None:
    assert warnings(expression, "UTC", SPRING) == expected
