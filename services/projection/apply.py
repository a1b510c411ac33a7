"""One batch of deliveries becomes rows, in one transaction with the positions they lead to."""

from collections.abc import Sequence

from msgspec import Struct

from linstock.bus.envelope import Delivered
from linstock.crashpoints import reach
from services.projection import adding, forgetting, store
from services.projection.chain import Gap, NewEpoch, Position, cut
from services.projection.fact import Fact, Poison, fact_of
from services.projection.schema import Connection
from services.projection.tables import Tables


class Applied(Struct, frozen=True):
    """The first `taken` deliveries are done with, `events` of them by being applied now. `stop`: why not all are."""

    taken: int
    events: int
    positions: dict[str, Position]
    stop: Gap | NewEpoch | Poison | None = None


async def apply(connection: Connection, deliveries: Sequence[Delivered]) -> Applied:
    """Applies what follows the stored positions. May be called with the same deliveries any number of times."""
    try:
        return await _apply(connection, deliveries)
    except Poison as poison:
        # Everything before it still counts, so that the projection stands exactly where the poison is.
        before = _before(poison, deliveries)
        done = await _apply(connection, before)
        return Applied(done.taken, done.events, done.positions, done.stop or poison)


async def _apply(connection: Connection, deliveries: Sequence[Delivered]) -> Applied:
    async with connection.transaction():
        stands = await store.positions(connection, lock=True)
        following = cut(stands, deliveries)
        if following.next:
            await _project(connection, [fact_of(delivered) for delivered in following.next])
            moved = {log: to for log, to in following.positions.items() if to != stands.get(log)}
            await store.move(connection, moved)
            reach("before_projection_commit")
    if following.next:
        reach("after_projection_commit_before_ack")
    return Applied(following.taken, len(following.next), following.positions, following.stop)


async def _project(connection: Connection, facts: Sequence[Fact]) -> None:
    for part in forgetting.cut(facts):
        await _fold(connection, part)
        await forgetting.forget(connection, part[-1])


async def _fold(connection: Connection, facts: Sequence[Fact]) -> None:
    tables = Tables()
    for rows, keys in tables.reads(facts):
        await store.load(connection, rows, keys)
    tables.fold(facts)
    for rows in tables.all():
        await store.write(connection, rows)
    for sums in tables.sums():
        await adding.add(connection, sums)


def _before(poison: Poison, deliveries: Sequence[Delivered]) -> Sequence[Delivered]:
    for index, delivered in enumerate(deliveries):
        if (delivered.recorded.log, delivered.recorded.position) == (poison.log, poison.position):
            return deliveries[:index]
    return ()
