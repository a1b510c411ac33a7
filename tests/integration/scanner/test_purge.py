"""What is missing is forgotten when somebody says so, or the library's own policy does; nothing else is."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from linstock import names
from linstock.bus.inbox import CommandContext, Refused
from linstock.messages.answer import Purged
from linstock.messages.catalogue import CollectionsPurged, PurgeMissing
from tests.integration.scanner.conftest import LIBRARY, Scanner, origin_of
from tests.integration.scanner.test_undo import indexed, shown, undo
from tests.support.trees import put

LATIN = os.fsdecode(b"\xff.jpg")


def furnish(photos: Path) -> None:
    for name in ("Rome", "Oslo", "Lima"):
        put(photos, f"{name}/1.jpg")
        put(photos, f"{name}/2.jpg")
    put(photos, f"Lima/{LATIN}")


async def purge(scanner: Scanner, command: PurgeMissing, *, workspace: str = names.DEFAULT_WORKSPACE) -> Purged:
    context = CommandContext(command_id=uuid4(), workspace=workspace, actor="eva", at=datetime.now(UTC) + scanner.ahead)
    plan = await scanner.planner.plan(command, context)
    await scanner.log.append(plan.appends, origin_of(context))
    assert plan.answer.purged
    return plan.answer.purged


async def purges(scanner: Scanner) -> list[CollectionsPurged]:
    return [event for event in await scanner.catalogue() if isinstance(event, CollectionsPurged)]


async def test_what_is_missing_is_forgotten_and_what_is_there_stays(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    shutil.rmtree(photos / "Oslo")
    (photos / "Rome/2.jpg").unlink()
    (photos / f"Lima/{LATIN}").unlink()
    await scanner.scan(photos)
    before = await shown(scanner), await indexed(scanner)
    foretold = await purge(scanner, PurgeMissing(library_id=LIBRARY, dry_run=True))
    assert (await shown(scanner), await indexed(scanner)) == before
    done = await purge(scanner, PurgeMissing(library_id=LIBRARY))
    assert (done.collections, done.images) == (foretold.collections, foretold.images) == (1, 2)
    rows = await shown(scanner)
    assert {row.path for row in rows["collections"]} == {"Rome", "Lima"}
    assert rows["files"] == {
        path: {name: about for name, about in files.items() if about[2] is None}
        for path, files in before[0]["files"].items()
        if path != "Oslo"
    }
    assert rows["sums"] == {key: amounts for key, amounts in before[0]["sums"].items() if "missing" not in key}
    assert set(await indexed(scanner)) == {b"Rome", b"Lima"}
    await purge(scanner, PurgeMissing(library_id=LIBRARY))
    assert [event.actor for event in await purges(scanner)] == ["eva", "eva"]  # one page of each kind, once


async def test_what_turns_up_at_its_place_is_new(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    (photos / "Oslo").rename(photos.parent / "Oslo")
    await scanner.scan(photos)
    await purge(scanner, PurgeMissing(library_id=LIBRARY))
    (photos.parent / "Oslo").rename(photos / "Oslo")
    again = await scanner.completed(await scanner.scan(photos))
    assert (again.counts.added, again.counts.restored) == (1, 0)
    assert {row.path for row in (await shown(scanner))["collections"]} == {"Rome", "Oslo", "Lima"}


async def test_only_what_was_missing_for_so_long_and_only_the_named(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    shutil.rmtree(photos / "Oslo")
    await scanner.scan(photos)
    scanner.ahead = timedelta(days=20)
    shutil.rmtree(photos / "Rome")
    await scanner.scan(photos)
    assert (await purge(scanner, PurgeMissing(library_id=LIBRARY, older_than_days=30))).collections == 0
    assert (await purge(scanner, PurgeMissing(library_id=LIBRARY, older_than_days=10, dry_run=True))).collections == 1
    (rome,) = [row.collection_id for row in (await shown(scanner))["collections"] if row.path == "Rome"]
    assert (await purge(scanner, PurgeMissing(library_id=LIBRARY, collections=(rome,)))).collections == 1
    assert await scanner.missing() == {"Oslo"}


async def test_an_undo_brings_nothing_back_that_was_purged(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    shutil.rmtree(photos / "Oslo")
    (photos / "Rome/2.jpg").unlink()
    put(photos, "Riga/1.jpg")
    scan_id = await scanner.scan(photos)
    scanner.ahead = timedelta(seconds=1)
    await purge(scanner, PurgeMissing(library_id=LIBRARY))
    undone = await undo(scanner, scan_id)
    assert (undone.withdrawn, undone.left_alone) == (1, 2)
    rows = await shown(scanner)
    assert {row.path for row in rows["collections"]} == {"Rome", "Lima"}
    assert set(rows["files"]["Rome"]) == {b"1.jpg"}


async def test_the_librarys_policy_does_so_once_a_day(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos, purge_missing_after_days=30)
    shutil.rmtree(photos / "Oslo")
    await scanner.scan(photos, purge_missing_after_days=30)
    scanner.ahead = timedelta(days=29)
    await scanner.scan(photos, purge_missing_after_days=30)
    assert await scanner.missing() == {"Oslo"}
    scanner.ahead = timedelta(days=30, hours=1)
    await scanner.scan(photos)  # without a policy
    assert await scanner.missing() == {"Oslo"}
    await scanner.scan(photos, purge_missing_after_days=30, dry_run=True)
    await scanner.scan(photos, purge_missing_after_days=30, paths=[b"Rome"])
    assert await scanner.missing() == {"Oslo"}
    await scanner.scan(photos, purge_missing_after_days=30)
    assert await scanner.missing() == set()
    (purged,) = await purges(scanner)
    assert (purged.actor, len(purged.collections)) == ("scanner", 1)


async def test_nothing_is_forgotten_while_somebody_is_asked_whether_it_is_gone(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos, purge_missing_after_days=1)
    shutil.rmtree(photos / "Oslo")
    await scanner.scan(photos, purge_missing_after_days=1)
    photos.rename(photos.parent / "away")
    photos.mkdir()
    scanner.ahead = timedelta(days=9)
    await scanner.scan(photos, purge_missing_after_days=1)
    assert await purges(scanner) == []


async def test_another_workspace_has_nothing_to_purge_there(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await scanner.scan(photos)
    with pytest.raises(Refused) as refused:
        await purge(scanner, PurgeMissing(library_id=LIBRARY), workspace="another")
    assert refused.value.answer.status == 404
