"""How many orders a worker claims before it has a slot for them. Pure.

A claim takes some milliseconds. A worker whose jobs are as short would wait for claims most of the time; one whose jobs
are long must not hold what another worker could run. Little's law says how many are enough: as many as its slots get
done while one claim is answered.
"""

SMOOTHING = 0.05
SHORTEST_S = 0.000_05
LONGEST_WAIT_S = 1.0


class Pace:
    """`most_ahead`: never more than so many; 0 is for jobs that are long anyway."""

    def __init__(self, slots: int, *, most_ahead: int) -> None:
        self._slots = slots
        self._most_ahead = most_ahead
        self._claim_s = 0.0
        self._run_s: float | None = None
        self._ahead = 0

    @property
    def ahead(self) -> int:
        """How many orders may be claimed beyond the slots."""
        return self._ahead

    @property
    def patience_s(self) -> float:
        """How long one that was claimed ahead may wait for a slot. It was to wait about as long as a claim takes."""
        return max(LONGEST_WAIT_S, 3 * self._claim_s)

    def claimed(self, took_s: float) -> None:
        self._claim_s += SMOOTHING * (took_s - self._claim_s)

    def ran(self, took_s: float) -> None:
        self._run_s = took_s if self._run_s is None else self._run_s + SMOOTHING * (took_s - self._run_s)

    def waited_in_vain(self, for_s: float) -> None:
        """What was claimed ahead found no slot: nothing more is, until jobs are seen to be short again."""
        self._run_s = max(self._run_s or 0.0, for_s * self._slots)

    def widened(self) -> int:
        """By how much `ahead` has changed since this was asked last."""
        before, self._ahead = self._ahead, self._wanted()
        return self._ahead - before

    def _wanted(self) -> int:
        if self._run_s is None:
            return 0
        return min(self._most_ahead, int(self._slots * self._claim_s / max(self._run_s, SHORTEST_S)))
