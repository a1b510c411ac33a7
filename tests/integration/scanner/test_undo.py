"""What a scan recorded is undone: everything is again as it was before it, but what a later scan touched."""

import os
import random
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock import names
from linstock.bus.envelope import Delivered
from linstock.bus.inbox import CommandContext, Refused
from linstock.messages.answer import Undone
from linstock.messages.catalogue import ApproveRemovals, UndoScan
from linstock.messages.scan import ScanUndone
from services.projection.fact import fact_of
from services.projection.views.collections import WITHDRAWN
from services.projection.views.files import HeldFile
from services.scanner.ledger import Ledger
from tests.integration.scanner.conftest import LIBRARY, Scanner, another_scan, origin_of
from tests.integration.scanner.test_removals import NOW
from tests.support.folded import Folded
from tests.support.trees import put, put_archive


async def folded(scanner: Scanner) -> Folded:
    """What a projection makes of the whole log."""
    made, previous = Folded(), 0
    epoch = await scanner.log.epoch()
    for recorded in await scanner.log.read(0, limit=100_000):
        made.apply([fact_of(Delivered(recorded=recorded, previous=previous, epoch=epoch))])
        previous = recorded.position
    return made


async def shown(scanner: Scanner) -> dict[str, Any]:
    """All that the read models say of the library: collections, images, sums."""
    rows = await folded(scanner)
    collections = {row for row in rows.rows.get("collections", {}).values() if row.state != WITHDRAWN}
    files: dict[str, dict[bytes, tuple[Any, ...]]] = {row.path: {} for row in collections}
    paths = {row.collection_id: row.path for row in collections}
    for chunk in rows.rows.get("files", {}).values():
        for file in msgspec.json.decode(chunk.files, type=list[HeldFile]):
            about = (file.size_bytes, file.mtime_ns, file.missing_since)
            files[paths[chunk.collection_id]][file.name.encode()] = about
    sums = {key: amounts for key, amounts in rows.sums.get("contents", {}).items() if any(amounts)}
    held = {row.scan_id for row in rows.rows.get("holds", {}).values() if row.state == "held"}
    return {"collections": collections, "files": files, "sums": sums, "held": held}


async def indexed(scanner: Scanner) -> dict[bytes, tuple[Any, ...]]:
    """What the next scan compares a disk with."""
    await scanner.missing()  # catches up
    query = "SELECT * FROM index_collections WHERE library_id = $1"
    known = {}
    for row in await scanner.pool.fetch(query, LIBRARY):
        images = (await scanner.index.images([row["collection_id"]]))[row["collection_id"]]
        columns = ("collection_id", "digest", "image_count", "size_bytes", "mtime_ns", "missing")
        known[row["path"]] = (*(row[name] for name in columns), images.entries(0, len(images)))
    return known


async def undo(
    scanner: Scanner, scan_id: UUID, *, dry_run: bool = False, workspace: str = names.DEFAULT_WORKSPACE
) -> Undone:
    context = CommandContext(command_id=uuid4(), workspace=workspace, actor="eva", at=NOW)
    command = UndoScan(library_id=LIBRARY, scan_id=scan_id, dry_run=dry_run)
    plan = await scanner.planner.plan(command, context)
    await scanner.log.append(plan.appends, origin_of(context))
    assert plan.answer.undone is not None
    return plan.answer.undone


def write(photos: Path, path: str, content: bytes) -> None:
    (photos / path).parent.mkdir(exist_ok=True)
    (photos / path).write_bytes(content)


def furnish(photos: Path) -> None:
    for name in ("Rome", "Oslo", "Lima"):
        put(photos, f"{name}/1.jpg")
        write(photos, f"{name}/2.jpg", b"two")
    (photos / os.fsdecode(b"caf\xe9")).mkdir()
    (photos / os.fsdecode(b"caf\xe9/\xff.jpg")).write_bytes(b"x")
    put_archive(photos / "comics/a.cbz", "1.png", "2.png")


def rearrange(photos: Path) -> None:
    """Something of each kind."""
    put(photos, "Riga/1.jpg")
    put(photos, "Rome/3.jpg")
    write(photos, "Rome/1.jpg", b"another")
    (photos / "Rome/2.jpg").unlink()
    (photos / os.fsdecode(b"caf\xe9/\xff.jpg")).unlink()
    (photos / os.fsdecode(b"caf\xe9/ok.jpg")).write_bytes(b"y")
    shutil.rmtree(photos / "Oslo")
    put_archive(photos / "comics/a.cbz", "1.png", "3.png", "4.png")
    put_archive(photos / "comics/b.zip", "1.png")


async def test_everything_is_as_it_was_and_the_next_scan_sees_the_same_again(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    rearrange(photos)
    scan_id = await scanner.scan(photos)
    after = await indexed(scanner)
    foretold = await undo(scanner, scan_id, dry_run=True)
    assert await indexed(scanner) == after
    assert await undo(scanner, scan_id) == foretold == Undone(withdrawn=2, changed=3, restored=1)
    assert (await shown(scanner), await indexed(scanner)) == before
    again = await scanner.completed(await scanner.scan(photos))
    assert (again.counts.added, again.counts.changed) == (2, 3)
    assert await indexed(scanner) == after


async def test_a_quick_scan_too_sees_again_what_was_undone(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    rearrange(photos)
    scan_id = await scanner.scan(photos)
    after = await indexed(scanner)
    await undo(scanner, scan_id)
    await scanner.scan(photos, scan_mode="quick")
    assert await indexed(scanner) == after


async def test_the_first_scan_undone_leaves_nothing_and_its_ids_come_back(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    scan_id = await scanner.scan(photos)
    first = await indexed(scanner)
    assert await undo(scanner, scan_id) == Undone(withdrawn=5)
    nothing = await shown(scanner)
    assert (nothing["collections"], nothing["sums"], await indexed(scanner)) == (set(), {}, {})
    await scanner.scan(photos)
    assert await indexed(scanner) == first


async def test_what_came_back_is_missing_again(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    (photos / "Lima").rename(photos.parent / "Lima")
    (photos / "Rome/1.jpg").rename(photos.parent / "1.jpg")
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    (photos.parent / "Lima").rename(photos / "Lima")
    (photos.parent / "1.jpg").rename(photos / "Rome/1.jpg")
    scan_id = await scanner.scan(photos)
    assert await undo(scanner, scan_id) == Undone(changed=1, missing=1)
    assert (await shown(scanner), await indexed(scanner)) == before


async def test_what_a_later_scan_touched_is_left_alone(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    rearrange(photos)
    scan_id = await scanner.scan(photos)
    put(photos, "Rome/4.jpg")
    shutil.rmtree(photos / "Riga")
    await scanner.scan(photos)
    later = await indexed(scanner)
    assert await undo(scanner, scan_id) == Undone(withdrawn=1, changed=2, restored=1, left_alone=2)
    now = await indexed(scanner)
    assert [now[path] == later[path] for path in (b"Rome", b"Riga")] == [True, True]


async def test_removals_that_somebody_approved_are_undone_with_the_scan_that_asked(
    scanner: Scanner, photos: Path
) -> None:
    furnish(photos)
    await scanner.scan(photos)
    before = await indexed(scanner)
    shutil.rmtree(photos)
    photos.mkdir()
    scan_id = await scanner.scan(photos)
    await scanner.decide(ApproveRemovals(library_id=LIBRARY, scan_id=scan_id))
    assert len(await scanner.missing()) == 5
    assert await undo(scanner, scan_id) == Undone(restored=5)
    assert await indexed(scanner) == before


async def test_a_question_that_nobody_has_answered_goes_with_its_scan(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    shutil.rmtree(photos)
    photos.mkdir()
    scan_id = await scanner.scan(photos)
    assert (await shown(scanner))["held"] == {scan_id}
    assert await undo(scanner, scan_id) == Undone()
    assert (await shown(scanner))["held"] == set()
    assert await scanner.proposed() == set()


async def test_a_scan_is_undone_once(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    scan_id = await scanner.scan(photos)
    await undo(scanner, scan_id)
    before = await scanner.log.last_position()
    assert await undo(scanner, scan_id) == Undone()
    assert await scanner.log.last_position() == before
    verdict = (await scanner.verdicts(scan_id))[-1]
    assert isinstance(verdict, ScanUndone)
    assert (verdict.actor, verdict.withdrawn) == ("eva", 5)


async def test_what_cannot_be_undone_is_refused(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    scan_id = await scanner.scan(photos)
    looked = await scanner.scan(photos, dry_run=True)
    for which, workspace in ((uuid4(), "default"), (looked, "default"), (scan_id, "other")):
        with pytest.raises(Refused) as refused:
            await undo(scanner, which, workspace=workspace)
        assert (refused.value.answer.status, refused.value.answer.code) == (409, "nothing-to-undo")
    ledger = Ledger(scanner.log, another_scan())
    await ledger.start(NOW)
    with pytest.raises(Refused) as busy:
        await undo(scanner, scan_id)
    assert (busy.value.answer.status, busy.value.answer.code) == (409, "scan-already-open")


async def test_a_large_collection_takes_several_parts_and_pages(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scanner.undo.PAGE_LIMIT_BYTES", 40_000)
    for number in range(900):
        put(photos, f"Rome/{number:04}-{'x' * 100}.jpg")
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    for number in range(900):
        write(photos, f"Rome/{number:04}-{'x' * 100}.jpg", b"other")
    scan_id = await scanner.scan(photos)
    await undo(scanner, scan_id)
    kinds = await scanner.kinds()
    assert kinds.count("CollectionsReverted") > 3
    assert (await shown(scanner), await indexed(scanner)) == before


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happened_undo_restores_exactly(scanner: Scanner, photos: Path, seed: int) -> None:
    chance = random.Random(seed)
    furnish(photos)
    before = await shown(scanner), await indexed(scanner)
    scan_id = await scanner.scan(photos)
    for step in range(8):
        if chance.random() < 0.5:
            await undo(scanner, scan_id)
            assert (await shown(scanner), await indexed(scanner)) == before, step
        before = await shown(scanner), await indexed(scanner)
        for _ in range(chance.randint(0, 4)):
            disturb(photos, chance)
        scan_id = await scanner.scan(photos, scan_mode=chance.choice(["changed", "quick", "deep"]))


def disturb(photos: Path, chance: random.Random) -> None:
    name = f"{chance.choice(['Rome', 'Oslo', 'Lima', 'Riga'])}"
    match chance.choice(["add", "edit", "unlink", "remove", "archive"]):
        case "add":
            put(photos, f"{name}/{chance.randint(1, 9)}.jpg")
        case "edit":
            write(photos, f"{name}/1.jpg", chance.randbytes(chance.randint(1, 9)))
        case "unlink":
            (photos / name / f"{chance.randint(1, 9)}.jpg").unlink(missing_ok=True)
        case "remove":
            shutil.rmtree(photos / name, ignore_errors=True)
        case _:
            put_archive(photos / name / "a.zip", *(f"{number}.png" for number in range(chance.randint(1, 4))))
