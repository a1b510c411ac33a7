"""Verify scans: every byte is read and hashed; what changes without a trace is told, once, until it is right again."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from linstock import names
from linstock.bus.inbox import CommandContext
from linstock.messages.contents import AcceptRot, ContentsEvent, ContentsHashed, RotAccepted, RotFound, RotOver
from services.scanner.contents.hashing import hash_of
from tests.integration.scanner.conftest import LIBRARY, Scanner, lease, order_for, origin_of
from tests.integration.scanner.test_moves import ids
from tests.integration.scanner.test_removals import NOW
from tests.integration.scanner.test_undo import folded, write
from tests.support.trees import put_archive

EVENT: msgspec.json.Decoder[ContentsEvent] = msgspec.json.Decoder(ContentsEvent)


async def told(scanner: Scanner) -> list[ContentsEvent]:
    return [EVENT.decode(recorded.data) for recorded in await scanner.log.load(names.contents_of(LIBRARY))]


async def verify(scanner: Scanner, photos: Path) -> tuple[int, int]:
    """How many files were read, and how many are rotten."""
    counts = (await scanner.completed(await scanner.scan(photos, scan_mode="verify"))).counts
    return counts.verified, counts.rotten


def rot(path: Path) -> None:
    """Other bytes under the same size and time."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def furnish(photos: Path) -> None:
    write(photos, "Rome/1.jpg", b"one")
    write(photos, "Rome/2.jpg", b"two" * 1000)
    write(photos, "Oslo/1.jpg", b"one")
    put_archive(photos / "comics.cbz", "1.png")


async def test_what_is_read_is_hashed_once(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    assert await verify(scanner, photos) == (4, 0)
    (page,) = await told(scanner)
    assert isinstance(page, ContentsHashed)
    hashed = {file.name: file.hash for each in page.collections for file in each.files}
    assert hashed["2.jpg"] == sha256(b"two" * 1000).hexdigest()
    assert set(hashed) == {"1.jpg", "2.jpg", ""}
    assert await verify(scanner, photos) == (4, 0)
    assert len(await told(scanner)) == 1


async def test_rot_is_told_once_and_is_over_when_the_bytes_are_back(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    rot(photos / "Rome/2.jpg")
    rot(photos / "comics.cbz")
    scan_id = await scanner.scan(photos, scan_mode="verify")
    completed = await scanner.completed(scan_id)
    assert (completed.counts.verified, completed.counts.rotten) == (4, 2)
    assert sorted((item.code, item.path) for item in completed.report) == [
        ("bit_rot", "Rome/2.jpg"),
        ("bit_rot", "comics.cbz"),
    ]
    assert await verify(scanner, photos) == (4, 2)
    found = [event for event in await told(scanner) if isinstance(event, RotFound)]
    assert [len(event.files) for event in found] == [2]
    rot(photos / "Rome/2.jpg")  # the same bit again
    assert await verify(scanner, photos) == (4, 1)
    over = [event for event in await told(scanner) if isinstance(event, RotOver)]
    assert [[file.name for file in event.files] for event in over] == [["2.jpg"]]
    rows = (await folded(scanner)).rows["file_hashes"].values()
    assert [row.name for row in rows if row.found] == [""]


async def test_a_file_that_was_changed_openly_is_hashed_anew(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    rot(photos / "Rome/2.jpg")
    await verify(scanner, photos)
    write(photos, "Rome/2.jpg", b"mended, and another size")
    assert await verify(scanner, photos) == (4, 0)
    rows = (await folded(scanner)).rows["file_hashes"].values()
    assert [(row.size_bytes, row.found, row.state) for row in rows if row.name == "2.jpg"] == [(24, None, "holds")]


async def test_what_somebody_accepts_is_right_from_then_on(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    rot(photos / "Rome/2.jpg")
    await verify(scanner, photos)
    context = CommandContext(command_id=uuid4(), workspace=names.DEFAULT_WORKSPACE, actor="eva", at=NOW)
    plan = await scanner.planner.plan(AcceptRot(library_id=LIBRARY), context)
    await scanner.log.append(plan.appends, origin_of(context))
    accepted = (await told(scanner))[-1]
    assert isinstance(accepted, RotAccepted)
    assert (accepted.actor, [file.name for file in accepted.files]) == ("eva", ["2.jpg"])
    assert await verify(scanner, photos) == (4, 0)
    assert (await scanner.planner.plan(AcceptRot(library_id=LIBRARY), context)).appends == ()


async def test_a_moved_collection_keeps_its_hashes(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    (photos / "Rome").rename(photos / "Roma")
    await verify(scanner, photos)
    assert len(await told(scanner)) == 1


async def test_what_is_missing_is_no_duplicate(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    (photos / "Rome/1.jpg").unlink()
    await scanner.scan(photos)
    rome = (await ids(scanner))["Rome"]
    row = (await folded(scanner)).rows["file_hashes"][(rome, b"1.jpg")]
    assert row.state == "gone"


async def test_names_that_are_not_utf8_and_files_that_cannot_be_read(scanner: Scanner, photos: Path) -> None:
    write(photos, os.fsdecode(b"caf\xe9/\xff.jpg"), b"x")
    assert await verify(scanner, photos) == (1, 0)
    assert await verify(scanner, photos) == (1, 0)
    assert len(await told(scanner)) == 1


async def test_an_attempt_goes_on_where_the_one_before_it_was_stopped(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        write(photos, f"{number:02}/1.jpg", b"%d" % number)
    read: list[bytes] = []

    def noting(root: bytes, path: bytes, **given: object) -> bytes:
        read.append(path)
        if len(read) == 40:
            scanner.runner.stop_walk(scan_id, 1)
        return hash_of(root, path, **given)  # type: ignore[arg-type]

    monkeypatch.setattr("services.scanner.contents.verification.hash_of", noting)
    scan_id = uuid4()
    await scanner.scan(photos, scan_mode="verify", scan_id=scan_id)
    first = list(read)
    assert 40 <= len(first) < 60
    await scanner.scan(photos, scan_mode="verify", scan_id=scan_id, attempt=2)
    completed = (await scanner.verdicts(scan_id))[-1]
    assert completed.counts.verified == 60  # type: ignore[union-attr]
    assert len(read) <= 62


async def test_cancelling_stops_within_a_large_file(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(photos, "Rome/1.jpg", b"")
    with (photos / "Rome/1.jpg").open("wb") as file:
        file.truncate(64 * 1024 * 1024 * 1024)
    reading = asyncio.Event()
    loop = asyncio.get_running_loop()
    advise = os.posix_fadvise

    def noting(*given: int) -> None:
        loop.call_soon_threadsafe(reading.set)
        advise(*given)

    monkeypatch.setattr(os, "posix_fadvise", noting)
    scan_id = uuid4()
    order = order_for(photos, scan_id=scan_id, scan_mode="verify")
    running = asyncio.create_task(scanner.runner.run(order, lease()))
    await reading.wait()
    scanner.runner.stop_walk(scan_id, 1)
    async with asyncio.timeout(2):
        await running


async def test_the_hashes_can_be_made_again(scanner: Scanner, photos: Path) -> None:
    furnish(photos)
    await verify(scanner, photos)
    rot(photos / "Rome/2.jpg")
    await verify(scanner, photos)
    query = "SELECT collection_id, name, size_bytes, mtime_ns, hash, hashed_at, rotten FROM hashes ORDER BY 1, 2"
    before = await scanner.pool.fetch(query)
    await scanner.pool.execute("DELETE FROM hashes")
    await scanner.pool.execute("DELETE FROM contents")
    await scanner.index.hashes.catch_up(scanner.log, LIBRARY)
    assert await scanner.pool.fetch(query) == before
