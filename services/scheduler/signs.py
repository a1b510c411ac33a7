"""What signs of life say: which leases are alive, and which workers are there. Pure; times are monotonic seconds."""

from collections.abc import Callable
from uuid import UUID

from msgspec import Struct

from linstock import names
from linstock.messages.work import SignOfLife


class Crew(Struct, frozen=True):
    """One worker that takes orders. Its `lanes` come in the order of their importance, or with the `weights` by which
    they share its slots; what it may claim ahead counts as slots."""

    worker: str
    lanes: tuple[str, ...]
    weights: tuple[int, ...]
    slots: int
    running: int


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

    def crews(self, at_s: float, running: Callable[[str], int] | None = None) -> list[Crew]:
        """All workers that are there and not about to leave. What `running` knows of each is newer than its sign."""
        return [
            Crew(
                worker=sign.worker,
                lanes=tuple(names.lane(sign.workspace, queue) for queue in sign.queues),
                weights=sign.weights if len(sign.weights) == len(sign.queues) else (),
                slots=sign.slots + sign.ahead,
                running=len(sign.running) if running is None else running(sign.worker),
            )
            for sign, heard_s in self._workers.values()
            if not sign.leaving and at_s - heard_s <= self._timeout_s
        ]

    def forget(self, at_s: float) -> None:
        """Drop what was silent for ten timeouts: workers come and go under ever new names."""
        oldest = at_s - 10 * self._timeout_s
        self._workers = {name: heard for name, heard in self._workers.items() if heard[1] >= oldest}
        self._leases = {lease: heard_s for lease, heard_s in self._leases.items() if heard_s >= oldest}
