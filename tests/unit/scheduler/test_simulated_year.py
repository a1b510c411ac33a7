"""A year of two hundred schedules in virtual time; `python -m tests.simulation --seed N` has more to say about one.

LINSTOCK_SIMULATION_SEED chooses the seed; the failure names it.
"""

import os
from dataclasses import replace

import pytest

from tests.simulation.year import Outcome, Year, simulate

SEED = int(os.environ.get("LINSTOCK_SIMULATION_SEED", "20260329"))
MONTHS = Year(SEED, days=60, schedules=100)


def run(year: Year) -> Outcome:
    print(year)
    return simulate(year)


def test_in_a_year_every_instant_gets_the_one_verdict_that_it_should() -> None:
    outcome = run(Year(SEED))
    assert not outcome.findings.wrong, (SEED, outcome.findings.wrong, outcome.findings.examples)
    assert {"fired", "late", "caught_up", "overlap", "misfire", "paused", "disabled", "outside_window", "limit"} <= set(
        outcome.findings.verdicts
    )
    assert outcome.findings.verdicts["fired"] > 1_000
    assert outcome.happened["kills"] > 200
    assert outcome.happened["set clock"] > 10


@pytest.mark.parametrize(
    ("sabotaged", "noticed"),
    [
        (replace(MONTHS, checked=False), {"doubled"}),
        (replace(MONTHS, trusting=True), {"early", "cursor beyond the true time"}),
    ],
    ids=["no version check", "trusts wall time"],
)
def test_without_a_safeguard_the_oracle_finds_what_it_held_back(sabotaged: Year, noticed: set[str]) -> None:
    wrong = run(sabotaged).findings.wrong
    assert noticed <= set(wrong), (SEED, wrong)
