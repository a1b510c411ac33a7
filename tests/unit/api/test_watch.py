"""Looking at the positions: once for everybody who waits, and never for nobody."""

import asyncio
from typing import Any, cast

import pytest

from services.api import watch
from services.api.watch import Watch
from tests.support.waiting import becomes, eventually


class Pool:
    """`rows` are the positions; a look waits until it is `allowed`."""

    def __init__(self) -> None:
        self.rows = [("library", 1)]
        self.looks = 0
        self.away = False

    async def fetch(self, _query: str) -> list[tuple[str, int]]:
        self.looks += 1
        if self.away:
            raise ConnectionRefusedError
        return list(self.rows)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.005)
    return Pool()


async def waiting(watching: Watch, count: int) -> list["asyncio.Task[None]"]:
    """Waiters for what comes after what has been seen."""
    await watching.next(watching.turn, within_s=5)
    return [asyncio.create_task(watching.next(watching.turn, within_s=30)) for _ in range(count)]


async def test_fifty_who_wait_cost_one_look(pool: Pool) -> None:
    watching = Watch(cast(Any, pool))
    waiters = await waiting(watching, 50)
    before, turn = pool.looks, watching.turn
    await eventually(lambda: pool.looks >= before + 3, "it looks again")
    assert pool.looks < before + 50
    assert not any(waiter.done() for waiter in waiters)
    pool.rows = [("library", 2)]
    await asyncio.gather(*waiters)
    assert watching.turn == turn + 1


async def test_nobody_who_waits_costs_nothing(pool: Pool) -> None:
    watching = Watch(cast(Any, pool))
    [waiter] = await waiting(watching, 1)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    looking = watching._looking
    assert looking
    await becomes(looking.done, True)


async def test_what_moved_while_nobody_waited_is_seen_by_the_next(pool: Pool) -> None:
    watching = Watch(cast(Any, pool))
    await watching.next(watching.turn, within_s=5)
    turn = watching.turn
    pool.rows = [("library", 2)]
    await watching.next(turn, within_s=5)
    assert watching.turn == turn + 1


async def test_a_database_that_is_away_is_waited_for(pool: Pool) -> None:
    watching = Watch(cast(Any, pool))
    [waiter] = await waiting(watching, 1)
    pool.away, before = True, pool.looks
    await eventually(lambda: pool.looks >= before + 2, "it looks again")
    assert not waiter.done()
    pool.away, pool.rows = False, [("library", 2)]
    await waiter


async def test_a_wait_ends_when_it_should(pool: Pool) -> None:
    watching = Watch(cast(Any, pool))
    await watching.next(watching.turn, within_s=5)
    turn = watching.turn
    await watching.next(turn, within_s=0.02)
    assert watching.turn == turn
