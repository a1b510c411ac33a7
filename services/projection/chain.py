"""Which of the delivered events come next. Pure.

Positions have holes, so an event names its predecessor: it comes next when that is the last position applied. Delivery
may repeat, regroup and reorder; what is applied is each log's own order, each event once.
"""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from linstock.bus.envelope import Delivered


class Position(Struct, frozen=True):
    """The last event of a log that the rows reflect."""

    epoch: UUID
    position: int


class Gap(Struct, frozen=True):
    """Events of `log` between `stands_at` and `previous` did not arrive before this one."""

    log: str
    stands_at: int
    previous: int
    position: int


class NewEpoch(Struct, frozen=True):
    """`log` was restored or republished: its positions mean something else now."""

    log: str
    epoch: UUID


class Cut(Struct, frozen=True):
    """`next` may be applied, and leads to `positions`. `taken` deliveries are done with (applied or duplicates);
    `stop` says why not all are."""

    next: list[Delivered]
    positions: dict[str, Position]
    taken: int
    stop: Gap | NewEpoch | None = None


def cut(positions: dict[str, Position], deliveries: Iterable[Delivered]) -> Cut:
    """The deliveries up to the first that does not follow."""
    reached, taken = dict(positions), 0
    following: list[Delivered] = []
    for delivered in deliveries:
        log, position = delivered.recorded.log, delivered.recorded.position
        stands = reached.get(log) or Position(delivered.epoch, 0)
        if delivered.epoch != stands.epoch:
            return Cut(following, reached, taken, NewEpoch(log, delivered.epoch))
        if position > stands.position:
            if delivered.previous != stands.position:
                return Cut(following, reached, taken, Gap(log, stands.position, delivered.previous, position))
            reached[log] = Position(delivered.epoch, position)
            following.append(delivered)
        taken += 1
    return Cut(following, reached, taken)
