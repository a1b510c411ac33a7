"""A year of two hundred schedules in virtual time; `python -m tests.simulation --seed N` has more to say about one.

LINSTOCK_SIMULATION_SEED chooses the seed; a failure names it.
"""

import os
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from linstock.messages.schedule import TickFired, TicksSkipped
from tests.simulation.evidence import Told
from tests.simulation.year import Outcome, Year, simulate

SEED = int(os.environ.get("LINSTOCK_SIMULATION_SEED", "20260329"))
MONTHS = Year(SEED, days=60, schedules=100)
VERDICTS = {
    "fired", "late", "caught_up", "overlap", "misfire", "paused", "disabled", "outside_window", "limit", "clock_change",
}  # fmt: skip


def test_in_a_year_every_instant_gets_the_one_verdict_that_it_should() -> None:
    outcome = simulate(Year(SEED))
    found = outcome.findings()
    assert not found.wrong, (SEED, found.wrong, found.examples)
    assert set(found.verdicts) == VERDICTS
    assert found.verdicts["fired"] > 1_000
    assert outcome.happened["kills"] > 200
    assert outcome.happened["set clock"] > 10
    assert outcome.happened["appended and not known"] > 20


@pytest.mark.parametrize(
    ("sabotaged", "noticed"),
    [
        (replace(MONTHS, checked=False), {"doubled"}),
        (replace(MONTHS, trusting=True), {"early", "cursor beyond the true time"}),
    ],
    ids=["no version check", "trusts wall time"],
)
def test_without_a_safeguard_the_oracle_finds_what_it_held_back(sabotaged: Year, noticed: set[str]) -> None:
    wrong = simulate(sabotaged).findings().wrong
    assert noticed <= set(wrong), (SEED, wrong)


@pytest.fixture(scope="module")
def months() -> Outcome:
    return simulate(MONTHS)


def test_the_oracle_misses_a_verdict_that_is_not_there(months: Outcome) -> None:
    assert not months.findings().wrong
    number = next(number for number, told in enumerate(months.history) if isinstance(told.event, TickFired))
    assert months.findings(_without(months.history, number)).wrong["missing"] == 1


def test_the_oracle_knows_a_wrong_reason(months: Outcome) -> None:
    for number, told in enumerate(months.history):
        if isinstance(told.event, TicksSkipped):
            other = "overlap" if told.event.reason == "paused" else "paused"
            lie = replace(told, event=_because(told.event, other))
            assert months.findings([*months.history[:number], lie, *months.history[number + 1 :]]).wrong, told
            return
    raise AssertionError("nothing was skipped")


def _without(history: list[Told], number: int) -> list[Told]:
    return [*history[:number], *history[number + 1 :]]


def _because(skipped: TicksSkipped, reason: str) -> TicksSkipped:
    return with_fields(skipped, reason=reason)
