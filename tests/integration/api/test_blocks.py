"""Where a page begins, by the counters alone, is where it begins by counting."""

import random
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.api.paging import Window
from services.api.queries import blocks
from services.api.queries.blocks import Wanted
from services.projection import schema
from services.projection.views.run_counts import SIZES

SCOPE = blocks.of_workspace("default")
LAST = 400_000  # several large blocks


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    connection = await schema.connect(database_url)
    await schema.prepare(connection)
    await connection.close()
    async with asyncpg.create_pool(
        database_url, min_size=1, max_size=1, server_settings={"search_path": schema.VIEWS}
    ) as pool:
        yield pool


def kept(seed: int) -> list[tuple[int, str]]:
    """Runs with holes of all sizes between them, the newest first; few have failed."""
    chance = random.Random(seed)
    ordinals = {*chance.sample(range(1, LAST), 300), *range(5000, 8000), *range(LAST - 70_000, LAST)}
    return [(each, "Failed" if chance.random() < 0.01 else "Completed") for each in sorted(ordinals, reverse=True)]


async def count(pool: asyncpg.Pool, runs: list[tuple[int, str]]) -> None:
    counted = Counter((size, (ordinal // size + 1) * size, status) for ordinal, status in runs for size in SIZES)
    rows = [(SCOPE.name, size, below, status, "Scheduler", n) for (size, below, status), n in counted.items()]
    await pool.executemany("INSERT INTO run_counts VALUES ($1, $2, $3, $4, $5, $6)", rows)


@pytest.mark.parametrize("status", [None, "Completed", "Failed", "Timeout"])
async def test_the_block_of_every_page(pool: asyncpg.Pool, status: str | None) -> None:
    runs = kept(7)
    await count(pool, runs)
    wanted = [ordinal for ordinal, found in runs if status in (None, found)]
    last = -(-len(wanted) // 20)
    chance = random.Random(8)
    for page in {1, 2, last - 1, last, *(chance.randint(1, max(1, last)) for _ in range(60))} - {0, -1}:
        window = Window(page, 20)
        start = await blocks.start(pool, SCOPE, Wanted(status), window)
        assert start.total == len(wanted)
        if window.offset >= len(wanted):
            assert start.below is None
            continue
        assert start.below is not None
        first = [ordinal for ordinal in wanted if ordinal < start.below][start.skip]
        assert first == wanted[window.offset]
        assert start.skip < min(SIZES)


async def test_beyond_the_last_page_there_is_no_block(pool: asyncpg.Pool) -> None:
    await count(pool, kept(7)[:30])
    start = await blocks.start(pool, SCOPE, Wanted(), Window(3, 20))
    assert (start.total, start.below) == (30, None)
