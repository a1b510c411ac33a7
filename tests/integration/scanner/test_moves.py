"""Collections that go elsewhere keep their ids, in every kind of scan; a copy is a collection of its own."""

import os
import random
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from linstock.messages.answer import Undone
from linstock.messages.catalogue import CollectionsMoved
from linstock.messages.scan import ChangesPreviewed
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.integration.scanner.test_undo import folded, indexed, shown, undo
from tests.support.trees import put, put_archive


async def ids(scanner: Scanner) -> dict[str, UUID]:
    """Of what is there, by path."""
    await scanner.missing()
    query = "SELECT path, collection_id FROM index_collections WHERE library_id = $1 AND NOT missing"
    return {os.fsdecode(row["path"]): row["collection_id"] for row in await scanner.pool.fetch(query, LIBRARY)}


async def moves(scanner: Scanner) -> list[tuple[str, str]]:
    pages = [event for event in await scanner.catalogue() if isinstance(event, CollectionsMoved)]
    return [(each.from_path, each.entry.path) for page in pages for each in page.collections]


def furnish(photos: Path) -> None:
    for name in ("Rome", "Oslo", "Lima", "Trips/2024/Riga", "Trips/2024/Bonn"):
        put(photos, f"{name}/1.jpg", f"{name}/2.jpg")
    put_archive(photos / "comics/a.zip", "1.png", "2.png")


@pytest.mark.parametrize("mode", ["changed", "quick", "deep"])
async def test_folders_trees_and_archives_keep_their_ids(scanner: Scanner, photos: Path, mode: str) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / "Rome").rename(photos / "Roma")
    (photos / "Oslo").rename(photos / "Trips/Oslo")
    (photos / "Trips/2024").rename(photos / "2024")
    (photos / "comics/a.zip").rename(photos / "b.cbz")
    scan = await scanner.completed(await scanner.scan(photos, scan_mode=mode))
    assert (scan.counts.moved, scan.counts.added, scan.counts.missing, scan.held) == (5, 0, 0, 0)
    assert await ids(scanner) == {
        "Roma": before["Rome"],
        "Trips/Oslo": before["Oslo"],
        "Lima": before["Lima"],
        "2024/Riga": before["Trips/2024/Riga"],
        "2024/Bonn": before["Trips/2024/Bonn"],
        "b.cbz": before["comics/a.zip"],
    }
    again = await scanner.completed(await scanner.scan(photos, scan_mode=mode))
    counts = again.counts
    assert (counts.unchanged, counts.moved, counts.added, counts.changed, counts.absent) == (6, 0, 0, 0, 0)


async def test_read_models_follow_and_keep_where_it_was(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    rome = (await ids(scanner))["Rome"]
    (photos / "Rome").rename(photos / "Roma")
    scan_id = await scanner.scan(photos)
    (photos / "Roma").rename(photos / "Trips/Rome")
    await scanner.scan(photos)
    rows = await folded(scanner)
    row = rows.rows["collections"][(rome,)]
    assert (row.path, row.name, row.state, row.folded) == ("Trips/Rome", "Rome", "present", "trips/rome")
    history = [row for row in rows.rows["collection_moves"].values() if row.collection_id == rome]
    assert [(row.from_path, row.to_path, row.undone) for row in history] == [
        ("Rome", "Roma", False),
        ("Roma", "Trips/Rome", False),
    ]
    change = rows.rows["scan_changes"][(rome, scan_id)]
    assert (change.kind, change.path_before, change.path) == ("moved", "Rome", "Roma")
    assert rows.sums["contents"][(LIBRARY, "default", "present", "folder")][0] == 5


async def test_a_copy_is_another(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await ids(scanner)
    shutil.copytree(photos / "Rome", photos / "Roma")  # keeps the times
    shutil.copy2(photos / "comics/a.zip", photos / "comics/b.zip")
    scan = await scanner.completed(await scanner.scan(photos))
    after = await ids(scanner)
    assert (scan.counts.moved, scan.counts.added) == (0, 2)
    assert (after["Rome"], after["comics/a.zip"]) == (before["Rome"], before["comics/a.zip"])


async def test_the_old_place_is_free_for_another_which_can_be_told_apart(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    rome = (await ids(scanner))["Rome"]
    (photos / "Rome").rename(photos / "A")  # before it in the order of the walk
    put(photos, "Rome/3.jpg")
    await scanner.scan(photos)
    first = await ids(scanner)
    assert (first["A"], first["Rome"] != rome) == (rome, True)
    (photos / "Rome").rename(photos / "Z")  # behind it: then what is at a known place stays what it was
    put(photos, "Rome/4.jpg", "Rome/5.jpg")
    await scanner.scan(photos)
    second = await ids(scanner)
    assert (second["A"], second["Rome"]) == (rome, first["Rome"])
    assert len(set(second.values())) == len(second) == 8
    quiet = (await scanner.completed(await scanner.scan(photos))).counts
    assert (quiet.unchanged, quiet.absent) == (8, 0)


async def test_there_and_back_again(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await ids(scanner)
    for old, new in (("Rome", "Roma"), ("Roma", "Rome"), ("Rome", "Trips/Rome"), ("Trips/Rome", "Rome")):
        (photos / old).rename(photos / new)
        await scanner.scan(photos)
    assert await ids(scanner) == before
    assert len(await moves(scanner)) == 4


async def test_images_that_all_went_to_another_folder_took_the_collection_with_them(
    scanner: Scanner, photos: Path
) -> None:
    furnish(photos)
    put(photos, "Oslo/deeper/1.jpg")
    await scanner.scan(photos)
    oslo = (await ids(scanner))["Oslo"]
    (photos / "New").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (photos / "Oslo" / name).rename(photos / "New" / name)
    await scanner.scan(photos)
    assert (await ids(scanner))["New"] == oslo


async def test_what_is_missing_is_found_elsewhere(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    rome = (await ids(scanner))["Rome"]
    (photos / "Rome").rename(photos.parent / "Rome")
    await scanner.scan(photos)
    assert await scanner.missing() == {"Rome"}
    (photos.parent / "Rome").rename(photos / "Roma")
    scan = await scanner.completed(await scanner.scan(photos))
    assert (scan.counts.moved, scan.counts.restored) == (1, 1)
    assert ((await ids(scanner))["Roma"], await scanner.missing()) == (rome, set())


async def test_of_twins_that_both_went_nobody_guesses_but_names_tell(scanner: Scanner, photos: Path) -> None:
    put(photos, "a/x/1.jpg")
    shutil.copytree(photos / "a/x", photos / "a/y")
    put(photos, "b/1.jpg")
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / "a").rename(photos / "c")
    await scanner.scan(photos)
    after = await ids(scanner)
    assert (after["c/x"], after["c/y"]) == (before["a/x"], before["a/y"])
    (photos / "c/x").rename(photos / "p")
    (photos / "c/y").rename(photos / "q")
    scan = await scanner.completed(await scanner.scan(photos))
    assert (scan.counts.moved, scan.counts.added) == (0, 2)


async def test_many_moves_ask_nobody(scanner: Scanner, photos: Path) -> None:
    for number in range(60):
        put(photos, f"all/{number:02}/1.jpg")
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / "all").rename(photos / "every")
    scan = await scanner.completed(await scanner.scan(photos))
    assert (scan.counts.moved, scan.held, scan.counts.missing) == (60, 0, 0)
    assert set((await ids(scanner)).values()) == set(before.values())


async def test_a_dry_run_tells_and_changes_nothing(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / "Rome").rename(photos / "Roma")
    scan_id = await scanner.scan(photos, dry_run=True)
    told = [event for event in await scanner.verdicts(scan_id) if isinstance(event, ChangesPreviewed)]
    changes = [change for page in told for change in page.changes]
    assert [(each.kind, each.path_before, each.path) for each in changes] == [("moved", "Rome", "Roma")]
    assert await ids(scanner) == before


async def test_names_that_are_not_utf8(scanner: Scanner, photos: Path) -> None:
    old, new = os.fsdecode(b"caf\xe9"), os.fsdecode(b"\xff\xfe")
    put(photos, f"{old}/1.jpg")
    await scanner.scan(photos)
    before = await ids(scanner)
    (photos / old).rename(photos / new)
    await scanner.scan(photos)
    assert await ids(scanner) == {new: before[old]}


async def test_a_move_is_undone(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    (photos / "Rome").rename(photos / "Roma")
    put(photos, "Rome/9.jpg")
    scan_id = await scanner.scan(photos)
    after = await ids(scanner)
    assert await undo(scanner, scan_id) == Undone(withdrawn=1, changed=1)
    assert (await shown(scanner), await indexed(scanner)) == before
    await scanner.scan(photos)
    assert (await ids(scanner))["Roma"] == after["Roma"]


async def test_the_index_can_be_made_again(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    (photos / "Rome").rename(photos / "Roma")
    put(photos, "Rome/9.jpg")
    await scanner.scan(photos)
    before = await scanner.indexed()
    await scanner.index.rebuild(scanner.log, LIBRARY)
    assert await scanner.indexed() == before


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_renamed_keeps_its_id(scanner: Scanner, photos: Path, seed: int) -> None:
    """Against a model: each folder has an identity of its own, which its path follows."""
    chance = random.Random(seed)
    for number in range(8):
        put(photos, f"f{number}/{number}.jpg", f"f{number}/x.jpg")
    await scanner.scan(photos)
    model = await ids(scanner)
    for step in range(8):
        for _ in range(chance.randint(1, 3)):
            old = chance.choice(sorted(model))
            new = f"{chance.choice(['', 'p/', 'q/'])}n{step}-{chance.randint(0, 999)}"
            if new not in model:
                (photos / new).parent.mkdir(exist_ok=True)
                (photos / old).rename(photos / new)
                model[new] = model.pop(old)
        await scanner.scan(photos, scan_mode=chance.choice(["changed", "quick", "deep"]))
        assert await ids(scanner) == model, step
