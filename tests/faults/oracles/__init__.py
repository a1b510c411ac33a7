"""What must hold of a history, whatever was killed. Pure: histories in, counts out; every count that names a fault
should be 0.

The deciders of the product are not used here: the same mistake in both would hide itself.
"""

from tests.faults.oracles.attempts import Attempts, attempts, run_twice
from tests.faults.oracles.carriage import Carriage, carriage
from tests.faults.oracles.commands import Commands, commands
from tests.faults.oracles.jobs import Jobs, jobs
from tests.faults.oracles.ticks import Ticks, ticks

__all__ = [
    "Attempts",
    "Carriage",
    "Commands",
    "Jobs",
    "Ticks",
    "attempts",
    "carriage",
    "commands",
    "jobs",
    "run_twice",
    "ticks",
]
