"""Whether EVENTS carries what the logs hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.history import Carried, History


@dataclass(frozen=True)
class Carriage:
    """How EVENTS differs from the logs."""

    missing: int = 0
    doubled: int = 0
    disordered: int = 0
    unchained: int = 0
    foreign: int = 0


def carriage(history: History) -> Carriage:
    """EVENTS must hold each log's events, each once, in order, each naming its predecessor, and nothing else."""
    missing = doubled = disordered = unchained = foreign = 0
    for log, events in history.log.items():
        carried = history.carried(log)
        copies = Counter(each.delivered.recorded.event_id for each in carried)
        known = {event.event_id for event in events}
        missing += sum(event.event_id not in copies for event in events)
        doubled += sum(count - 1 for count in copies.values())
        foreign += sum(event_id not in known for event_id in copies)
        positions = [each.delivered.recorded.position for each in carried]
        disordered += sum(later < earlier for earlier, later in pairwise(positions))
        unchained += _unchained(carried)
    foreign += sum(each.delivered.recorded.log not in history.log for each in history.stream)
    return Carriage(missing, doubled, disordered, unchained, foreign)


def _unchained(carried: Sequence[Carried]) -> int:
    before = [0, *(each.delivered.recorded.position for each in carried)]
    return sum(each.delivered.previous != previous for previous, each in zip(before, carried, strict=False))
