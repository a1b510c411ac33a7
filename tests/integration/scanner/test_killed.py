"""A scan that is killed anywhere, and its next attempt: in the end all is as if nobody had killed it. (`make faults`
does the same to a process, with kill -9.)"""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from linstock import crashpoints, names
from linstock.jobs.orders import Order
from linstock.messages.scan import Counts, ScanCompleted
from services.scanner import checkpoint, expedition, listing, remembered, survey, walk
from tests.integration.scanner.conftest import LIBRARY, Scanner, lease, order_for
from tests.support.trees import put, put_archive, put_broken_archive, put_many

FOLDERS = 60
POINTS = sorted(
    {
        *crashpoints.SCAN_NAMES,
        "after_page_append",
        "after_page_index_before_folders",
        "after_verdict_append_before_index",
    }
    - {"before_holding", "after_proposing_before_verdict", "before_closing", "while_closing", "after_progress"}
)


class Killed(BaseException):
    """As kill -9: nobody catches it."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def die(_code: int) -> NoReturn:
        raise Killed

    monkeypatch.setattr(crashpoints, "os", SimpleNamespace(_exit=die))
    monkeypatch.setattr(survey, "BATCH_COLLECTIONS", 4)
    monkeypatch.setattr(checkpoint, "SHORTEST_S", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1_000_000)
    monkeypatch.setattr(expedition, "PAGE_BYTES", 4 * 1024)
    yield crashpoints.arm
    crashpoints.arm("")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a walk would be over before its first checkpoint is stored."""
    real = expedition.Expedition._checkpoint

    def waits(walk: expedition.Expedition, *, changed: bool) -> None:
        real(walk, changed=changed)
        walk._settle()

    monkeypatch.setattr(expedition.Expedition, "_checkpoint", waits)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every folder that is read, as often as it is."""
    paths: list[bytes] = []

    def noted(root: bytes, path: bytes, *rest: Any) -> listing.Listing:
        found = listing.list_folder(root, path, *rest)
        paths.append(path)
        return found

    monkeypatch.setattr(walk, "list_folder", noted)
    return paths


def order_of(library_id: UUID, root: Path, *, workspace: str = names.DEFAULT_WORKSPACE, **given: Any) -> Order:
    order = order_for(root, **given)
    target = replace(order.request.target, library_id=library_id)  # type: ignore[union-attr]
    return replace(order, workspace=workspace, request=replace(order.request, target=target))


def order_apart(library_id: UUID, root: Path, **given: Any) -> Order:
    """In a workspace of its own: of what goes from one library another one in the workspace may have the same."""
    return order_of(library_id, root, workspace=str(library_id), **given)


async def counted(scanner: Scanner, order: Order) -> Counts:
    """Of the scan's completed attempt."""
    (verdict,) = [each for each in await scanner.verdicts(order.request.job_id) if isinstance(each, ScanCompleted)]
    return verdict.counts


async def state(scanner: Scanner, library_id: UUID) -> dict[str, list[tuple[Any, ...]]]:
    """All that is known of a library, without its id."""
    collections = await scanner.pool.fetch(
        "SELECT path, kind, digest, image_count, size_bytes, missing FROM index_collections WHERE library_id = $1"
        " ORDER BY path, kind",
        library_id,
    )
    rows = await scanner.pool.fetch(
        "SELECT path, folder FROM index_folders WHERE library_id = $1 ORDER BY path", library_id
    )
    folders = [remembered._DECODER.decode(row["folder"]) for row in rows]
    return {
        "collections": [tuple(row.values()) for row in collections],
        "folders": [(each.path, each.digest, each.images, each.size_bytes, each.subfolders) for each in folders],
    }


def lived_in(root: Path) -> None:
    put_many(root, folders=FOLDERS, images=20)
    put(root, "goes/1.jpg", "comes back/1.jpg", "inner/deep/er/1.jpg", "loses/1.jpg", "loses/2.jpg")
    put(root, "moves/1.jpg", "moves/inner/1.jpg")
    for length, path in enumerate(("moves/1.jpg", "moves/inner/1.jpg", "loses/3.jpg"), 1_000):
        (root / path).write_bytes(b"x" * length)
    put_archive(root / "folder-00007" / "book.cbz", "1.jpg", "2.jpg")
    put_broken_archive(root / "folder-00009" / "broken.zip")
    (root / "inner" / ".linstockignore").write_text("left out/\n")
    put(root, "inner/left out/1.jpg")


def lived_on(root: Path) -> None:
    for number in range(0, FOLDERS, 4):
        put(root, f"folder-{number:05}/new.jpg")
    put_many(root / "more", folders=20, images=30)
    put(root, "comes back/1.jpg")
    put_archive(root / "folder-00011" / "new.zip", "1.jpg")
    shutil.rmtree(root / "goes")
    (root / "loses" / "2.jpg").unlink()
    (root / "loses" / "3.jpg").rename(root / "folder-00008" / "moved.jpg")
    (root / "moves").rename(root / "more" / "moved")


def long_ago(root: Path) -> None:
    """Digests are of times too."""
    for folder, _, files in os.walk(root):
        for name in files:
            os.utime(Path(folder, name), ns=(10**18, 10**18))


async def lives(scanner: Scanner, library_id: UUID, root: Path) -> None:
    """Two scans, between which one collection went."""
    root.mkdir()
    lived_in(root)
    long_ago(root)
    await scanner.runner.run(order_apart(library_id, root), lease())
    shutil.rmtree(root / "comes back")
    await scanner.runner.run(order_apart(library_id, root), lease())
    lived_on(root)
    long_ago(root)


async def killed_and_again(scanner: Scanner, order: Order, kill_at: Any, point: str) -> None:
    kill_at(point)
    with pytest.raises(Killed):
        await scanner.runner.run(order, lease())
    kill_at("")
    await scanner.runner.run(replace(order, attempt=2), lease())


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("mode", ["changed"])
async def test_a_scan_that_is_killed_ends_as_if_it_were_not(
    scanner: Scanner, tmp_path: Path, kill_at: Any, point: str, mode: str
) -> None:
    one, other = uuid4(), uuid4()
    root, beside = tmp_path / "one", tmp_path / "other"
    await lives(scanner, one, root)
    await lives(scanner, other, beside)
    killed, whole = order_apart(one, root, scan_mode=mode), order_apart(other, beside, scan_mode=mode)
    later = {"in_listing": ":50", "before_folder_rows": ":4", "after_folder_rows": ":4", "between_pages": ":3"}
    await killed_and_again(scanner, killed, kill_at, point + later.get(point, ""))
    await scanner.runner.run(whole, lease())
    if point != "after_verdict_append_before_index":  # where attempt 1 had its verdict, 2 counts what it saw itself
        assert await counted(scanner, killed) == await counted(scanner, whole)
    for library_id, path in ((one, root), (other, beside)):
        await scanner.runner.run(order_apart(library_id, path), lease())
    assert await state(scanner, one) == await state(scanner, other)


async def killed_rescan(
    scanner: Scanner, root: Path, kill_at: Any, listed: list[bytes], mode: str = "changed"
) -> Order:
    """A scan of a library that did not change, killed at its 151st folder of 201."""
    put_many(root, folders=200, images=5)
    await scanner.scan(root)
    order = order_for(root, scan_mode=mode)
    listed.clear()
    kill_at("in_listing:151")
    with pytest.raises(Killed):
        await scanner.runner.run(order, lease())
    kill_at("")
    assert len(listed) == 150
    listed.clear()
    return order


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("mode", ["changed", "deep"])
async def test_the_next_attempt_reads_nothing_again_that_was_compared(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes], mode: str
) -> None:
    order = await killed_rescan(scanner, photos, kill_at, listed, mode)
    await scanner.runner.run(replace(order, attempt=2), lease())
    assert len(listed) - 51 <= 0.05 * 150
    counts = await counted(scanner, order)
    assert (counts.folders, counts.files, counts.collections, counts.unchanged) == (201, 1000, 200, 200)


async def test_the_next_attempt_of_a_first_scan_reads_little_again(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    put_many(photos, folders=400, images=20)
    order = order_for(photos)
    kill_at("in_listing:301")
    with pytest.raises(Killed):
        await scanner.runner.run(order, lease())
    kill_at("")
    listed.clear()
    await scanner.runner.run(replace(order, attempt=2), lease())
    assert len(listed) - 101 <= 0.05 * 300
    counts = await counted(scanner, order)
    assert (counts.collections, counts.images, counts.added, counts.unchanged) == (400, 8000, 400, 0)


@pytest.mark.usefixtures("patient")
async def test_another_scan_does_not_go_on_there(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    await killed_rescan(scanner, photos, kill_at, listed)
    await scanner.scan(photos)
    assert len(listed) == 201


@pytest.mark.usefixtures("patient")
async def test_on_another_file_system_everything_is_read_again(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    order = await killed_rescan(scanner, photos, kill_at, listed)
    scanner.away = "another disk"
    await scanner.runner.run(replace(order, attempt=2), lease())
    assert len(listed) == 201


@pytest.mark.usefixtures("patient")
async def test_where_the_settings_are_others_everything_is_read_again(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    order = await killed_rescan(scanner, photos, kill_at, listed)
    target = replace(order.request.target, exclude_patterns=("*.tmp",))  # type: ignore[union-attr]
    again = replace(order, attempt=2, request=replace(order.request, target=target))
    await scanner.runner.run(again, lease())
    assert len(listed) == 201


@pytest.mark.usefixtures("patient")
async def test_where_the_index_was_made_anew_everything_is_read_again(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    order = await killed_rescan(scanner, photos, kill_at, listed)
    await scanner.index.rebuild(scanner.log, LIBRARY)
    await scanner.runner.run(replace(order, attempt=2), lease())
    assert len(listed) == 201
    assert (await counted(scanner, order)).unchanged == 200


@pytest.mark.usefixtures("patient")
async def test_what_could_not_be_read_is_tried_again_by_the_next_attempt(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row, which an earlier scan kept, does not stand for it."""
    put_many(photos, folders=200, images=5)
    await scanner.scan(photos)
    real = listing.list_folder

    def stubborn(root: bytes, path: bytes, *rest: Any) -> listing.Listing:
        if path == b"folder-00050":
            raise PermissionError(13, "Permission denied")
        return real(root, path, *rest)

    order = order_for(photos)
    monkeypatch.setattr(walk, "list_folder", stubborn)
    kill_at("in_listing:151")
    with pytest.raises(Killed):
        await scanner.runner.run(order, lease())
    kill_at("")
    await scanner.runner.run(replace(order, attempt=2), lease())
    counts = await counted(scanner, order)
    assert (counts.collections, counts.errors, counts.absent) == (199, 1, 1)


@pytest.mark.usefixtures("patient")
async def test_a_folder_that_changed_under_a_person_s_hands_meanwhile_is_read_again(
    scanner: Scanner, photos: Path, kill_at: Any, listed: list[bytes]
) -> None:
    """Whatever the catalogue is told of a folder between two attempts takes its row away."""
    order = await killed_rescan(scanner, photos, kill_at, listed)
    gone = await scanner.pool.fetchval(
        "DELETE FROM index_folders WHERE library_id = $1 AND path = $2 RETURNING path", LIBRARY, b"folder-00020"
    )
    await scanner.runner.run(replace(order, attempt=2), lease())
    assert gone in listed
