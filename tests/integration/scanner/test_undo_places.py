"""Undoing a scan that saw collections move, when their old places are somebody else's by now."""

from pathlib import Path

from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.integration.scanner.test_undo import undo
from tests.support.trees import put


async def places(scanner: Scanner) -> list[str]:
    await scanner.missing()  # catches up
    query = "SELECT path FROM index_collections WHERE library_id = $1 AND NOT missing ORDER BY path"
    return [row["path"].decode() for row in await scanner.pool.fetch(query, LIBRARY)]


async def test_what_moved_stays_where_it_is_when_its_old_place_is_taken(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    await scanner.scan(photos)
    (photos / "a").rename(photos / "x")
    (photos / "b").rename(photos / "y")
    moving = await scanner.scan(photos)
    put(photos, "a/new.jpg")
    await scanner.scan(photos)
    undone = await undo(scanner, moving)
    assert (undone.changed, undone.left_alone) == (1, 1)
    assert await places(scanner) == ["a", "b", "c", "x"]
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.moved, completed.counts.added, completed.counts.absent) == (1, 0, 0)
    assert await places(scanner) == ["a", "c", "x", "y"]
