"""Collections that go to another library of their workspace go on there, with their history."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from linstock.messages.catalogue import CollectionsDeparted, CollectionsRecorded
from linstock.messages.scan import ChangesPreviewed, ScanCompleted
from services.scanner.catalogue import CATALOGUE
from tests.integration.scanner.conftest import LIBRARY, Scanner, lease
from tests.integration.scanner.test_killed import kill_at, killed_and_again, order_of
from tests.integration.scanner.test_moves import ids
from tests.integration.scanner.test_undo import folded, undo
from tests.support.trees import put, put_archive

__all__ = ["kill_at"]
OTHER = UUID(int=43)


class Two:
    """Two libraries side by side."""

    def __init__(self, scanner: Scanner, home: Path) -> None:
        self.scanner = scanner
        self.one, self.other = home / "one", home / "other"

    async def scan(self, library: UUID = LIBRARY, **given: Any) -> ScanCompleted:
        order = order_of(library, self.one if library == LIBRARY else self.other, **given)
        await self.scanner.runner.run(order, lease())
        return await self.scanner.completed(order.request.job_id)

    async def events(self, library: UUID = LIBRARY) -> list[Any]:
        return [CATALOGUE.decode(recorded.data) for recorded in await self.scanner.log.load(library)]

    async def departed(self) -> dict[UUID, UUID]:
        """By former ids, those that they have now."""
        events = [event for event in await self.events() if isinstance(event, CollectionsDeparted)]
        return {each.collection_id: each.to_collection_id for event in events for each in event.collections}

    async def known(self, library: UUID) -> dict[str, UUID]:
        query = "SELECT path, collection_id FROM index_collections WHERE library_id = $1 AND NOT missing"
        return {row["path"].decode(): row["collection_id"] for row in await self.scanner.pool.fetch(query, library)}


@pytest.fixture
async def two(scanner: Scanner, tmp_path: Path) -> Two:
    made = Two(scanner, tmp_path)
    put(made.one, "Rome/1.jpg", "Rome/2.jpg", "Oslo/1.jpg", "Lima/1.jpg", "Lima/3.jpg")
    put_archive(made.one / "comics/a.cbz", "1.png", "2.png")
    put(made.other, "Bonn/8.jpg", "Bonn/9.jpg")
    await made.scan()
    return made


def move(two: Two) -> None:
    (two.one / "Rome").rename(two.other / "Roma")
    (two.one / "comics/a.cbz").rename(two.other / "a.cbz")


@pytest.mark.parametrize("first", [True, False], ids=["the first scan there", "a later one"])
async def test_they_go_on_there_and_are_not_missed_here(two: Two, *, first: bool) -> None:
    before = await ids(two.scanner)
    if not first:
        await two.scan(OTHER)
    move(two)
    there = (await two.scan(OTHER)).counts
    assert (there.moved, there.added, there.changed) == (2, int(first), 0)
    known = await two.known(OTHER)
    assert await two.departed() == {before["Rome"]: known["Roma"], before["comics/a.cbz"]: known["a.cbz"]}
    assert set(await two.known(LIBRARY)) == {"Oslo", "Lima"}
    here = await two.scan()
    assert (here.counts.missing, here.counts.absent, here.held, here.counts.unchanged) == (0, 0, 0, 2)
    again = (await two.scan(OTHER)).counts
    assert (again.unchanged, again.moved, again.added) == (3, 0, 0)


async def test_the_read_models_follow(two: Two) -> None:
    before = await ids(two.scanner)
    move(two)
    scan = await two.scan(OTHER)
    rows = (await folded(two.scanner)).rows
    roma = (await two.known(OTHER))["Roma"]
    gone = rows["collections"][(before["Rome"],)]
    assert (gone.state, gone.moved_to) == ("withdrawn", roma)
    (moved,) = [row for row in rows["collection_moves"].values() if row.collection_id == roma]
    assert (moved.from_library_id, moved.from_path, moved.to_path) == (LIBRARY, "Rome", "Roma")
    change = rows["scan_changes"][(roma, scan.scan_id)]
    assert (change.kind, change.path_before, change.path) == ("moved", "Rome", "Roma")
    sums = (await folded(two.scanner)).sums["contents"]
    assert sums[(LIBRARY, "default", "present", "folder")][0] == 2
    assert sums[(OTHER, "default", "present", "folder")][0] == 2


async def test_back_again_and_after_both_indexes_were_lost(two: Two) -> None:
    move(two)
    await two.scan(OTHER)
    (two.other / "Roma").rename(two.one / "Rome")
    back = (await two.scan()).counts
    assert (back.moved, back.added) == (1, 0)
    before = await two.known(LIBRARY), await two.known(OTHER)
    assert (set(before[0]), set(before[1])) == ({"Rome", "Oslo", "Lima"}, {"Bonn", "a.cbz"})
    for library in (OTHER, LIBRARY):
        await two.scanner.index.rebuild(two.scanner.log, library)
    assert (await two.known(LIBRARY), await two.known(OTHER)) == before
    for library in (LIBRARY, OTHER):
        assert (await two.scan(library)).counts.added == 0


def empty(two: Two) -> None:
    shutil.rmtree(two.one)
    two.one.mkdir()


def gone(two: Two) -> None:
    two.one.rename(two.one.parent / "away")


def another_disk(two: Two) -> None:
    """In its place, with other things on it."""
    gone(two)
    put(two.one, "Else/7.jpg")


def copied(two: Two) -> None:
    shutil.copytree(two.other / "Roma", two.one / "Rome")


@pytest.mark.parametrize("happens", [empty, gone, another_disk, copied])
async def test_what_may_be_there_still_is_another_here(two: Two, happens: Callable[[Two], None]) -> None:
    move(two)
    happens(two)
    assert (await two.scan(OTHER)).counts.moved == (1 if happens is copied else 0)
    assert len(await two.departed()) == (1 if happens is copied else 0)


async def test_another_workspace_is_none_of_ours(two: Two) -> None:
    move(two)
    order = replace(order_of(OTHER, two.other), workspace="another")
    await two.scanner.runner.run(order, lease())
    assert (await two.scanner.completed(order.request.job_id)).counts.moved == 0


async def test_an_undo_leaves_them_where_they_are(two: Two) -> None:
    first = await two.scan()
    (two.one / "New").mkdir()
    put(two.one, "New/1.jpg")
    added = await two.scan()
    (two.one / "New").rename(two.other / "New")
    arrived = await two.scan(OTHER)
    assert (await undo(two.scanner, added.scan_id)).left_alone == 1
    assert "New" in await two.known(OTHER)
    assert first.counts.added == 0
    pages = [event for event in await two.events(OTHER) if isinstance(event, CollectionsRecorded)]
    assert [each.from_path for page in pages for each in page.arrived] == ["New"]
    assert arrived.counts.moved == 1


async def test_a_dry_run_says_so_and_moves_nothing(two: Two) -> None:
    await two.scan(OTHER)
    move(two)
    order = order_of(OTHER, two.other, dry_run=True)
    await two.scanner.runner.run(order, lease())
    page, verdict = await two.scanner.verdicts(order.request.job_id)
    assert isinstance(page, ChangesPreviewed)
    assert isinstance(verdict, ScanCompleted)
    told = [(each.kind, each.path_before, each.path) for each in page.changes]
    assert sorted(told) == [("moved", "Rome", "Roma"), ("moved", "comics/a.cbz", "a.cbz")]
    assert verdict.counts.moved == 2
    assert await two.departed() == {}


@pytest.mark.parametrize("point", ["after_page_append", "after_page_index_before_folders", "before_verdict"])
async def test_a_kill_leaves_them_in_exactly_one(two: Two, kill_at: Any, point: str) -> None:
    before = await ids(two.scanner)
    move(two)
    order = order_of(OTHER, two.other)
    await killed_and_again(two.scanner, order, kill_at, point)
    counts = (await two.scanner.completed(order.request.job_id)).counts
    assert (counts.moved, counts.added, counts.changed) == (2, 1, 0)
    assert set(await two.departed()) == {before["Rome"], before["comics/a.cbz"]}
    assert (await two.scan()).counts.missing == 0
