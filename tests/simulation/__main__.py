"""`python -m tests.simulation [--seed N] [--days N] [--schedules N] [--control unchecked|trusting]`"""

import argparse
import logging
import random
import sys
import time

import structlog

from tests.simulation.year import Year, simulate

parser = argparse.ArgumentParser(prog="python -m tests.simulation")
parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
parser.add_argument("--days", type=int, default=365)
parser.add_argument("--schedules", type=int, default=200)
parser.add_argument("--control", choices=("unchecked", "trusting"))
given = parser.parse_args()
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
print(f"seed {given.seed}", flush=True)
began = time.monotonic()
year = Year(
    given.seed, given.days, given.schedules, checked=given.control != "unchecked", trusting=given.control == "trusting"
)
outcome = simulate(year)
findings = outcome.findings()
print(f"{time.monotonic() - began:.1f} s, {len(outcome.history)} events, {findings.instants} instants")
print("happened:", outcome.happened)
print("verdicts:", dict(findings.verdicts))
print("wrong:   ", dict(findings.wrong) or "nothing")
for example in findings.examples[:20]:
    print("  ", example)
sys.exit(1 if findings.wrong else 0)
