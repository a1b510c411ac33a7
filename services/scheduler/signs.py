"""What signs of life say: which leases are alive, and how many slots are free. Pure; times are monotonic seconds."""

from uuid import UUID

from linstock.messages.work import SignOfLife


class Signs:
    """`timeout_s`: a worker, or a lease, that was not heard of for so long is gone."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._workers: dict[str, tuple[SignOfLife, float]] = {}
        self._leases: dict[UUID, float] = {}

    def hear(self, sign: SignOfLife, at_s: float) -> None:
        self._workers[sign.worker] = (sign, at_s)
        for running in sign.running:
            self._leases[running.lease] = at_s

    def heard(self, lease: UUID) -> float | None:
        """When it was last named."""
        return self._leases.get(lease)

    def free_slots(self, queue: str, at_s: float) -> int:
        """Of all workers of `queue` that are there and not about to leave."""
        return sum(
            max(0, sign.slots - len(sign.running))
            for sign, heard_s in self._workers.values()
            if queue in sign.queues and not sign.leaving and at_s - heard_s <= self._timeout_s
        )

    def forget(self, at_s: float) -> None:
        """Drop what was silent for ten timeouts: workers come and go under ever new names."""
        oldest = at_s - 10 * self._timeout_s
        self._workers = {name: heard for name, heard in self._workers.items() if heard[1] >= oldest}
        self._leases = {lease: heard_s for lease, heard_s in self._leases.items() if heard_s >= oldest}
