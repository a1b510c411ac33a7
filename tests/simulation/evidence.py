"""What the oracle goes by: the events as they were really appended, and who could have acted when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from linstock.eventlog.record import Recorded

GRACE_S = 12.0  # four seconds of patience with a lease's holder, errors and lost races included


@dataclass(frozen=True)
class Told:
    """One event of a schedule, when it was really appended (by the world's seconds and by Postgres's clock), and in
    which insert."""

    record: Recorded
    event: object
    at_s: float
    postgres: datetime
    batch: int


class Witness:
    """What the world knows and the log does not. `watched` : whether one replica could have acted from the first to
    the second moment without a break."""

    def __init__(
        self, reached_s: Callable[[datetime, float], float], watching_s: list[list[float]], steps_s: list[float]
    ) -> None:
        self.reached_s = reached_s
        self._watching_s = sorted(watching_s)
        self._steps_s = steps_s

    def watched(self, since_s: float, until_s: float) -> bool:
        if any(since_s - GRACE_S <= step_s <= until_s for step_s in self._steps_s):
            return False
        return any(since <= since_s and until_s <= until for since, until in self._watching_s)
