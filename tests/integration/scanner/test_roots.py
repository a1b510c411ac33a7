"""A scan reads nothing outside of the allowed folders, whatever was swapped since its library was made."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linstock.roots import AllowedRoots, Bounds
from services.scanner.opened import OpenedArchives
from services.scanner.opening import open_below
from services.scanner.runner import Runner
from tests.integration.scanner.conftest import Scanner
from tests.support.trees import put, put_archive


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    put(tmp_path / "outside", "secret/1.jpg")
    return folder


@pytest.fixture
async def confined(scanner: Scanner, allowed: Path) -> AsyncIterator[Scanner]:
    with ThreadPoolExecutor(1) as executor:
        scanner.runner = Runner(
            scanner.log,
            scanner.index,
            OpenedArchives(scanner.pool),
            scanner.journal,
            executor=executor,
            publish=scanner.told.publish,
            roots=AllowedRoots([allowed]),
        )
        yield scanner


async def test_what_is_in_an_allowed_folder_is_scanned(confined: Scanner, allowed: Path) -> None:
    put(allowed / "photos", "a/1.jpg", "a/b/2.jpg")
    put_archive(allowed / "photos" / "c.zip", "1.png")
    await confined.completed(await confined.scan(allowed / "photos"))
    assert set(await confined.collections()) == {"a", "a/b", "c.zip"}


async def test_a_root_swapped_for_a_link_that_leads_out_fails_for_good(confined: Scanner, allowed: Path) -> None:
    put(allowed / "photos", "a/1.jpg")
    await confined.completed(await confined.scan(allowed / "photos"))
    (allowed / "photos").rename(allowed / "moved")
    (allowed / "photos").symlink_to(allowed.parent / "outside")
    failed = await confined.failed(await confined.scan(allowed / "photos"))
    assert (failed.code, failed.final) == ("root_not_allowed", True)
    assert failed.message == (
        f"The library's folder {allowed / 'photos'} lies outside of the folders that libraries are allowed in:"
        f" it is {allowed.parent / 'outside'}."
    )
    assert set(await confined.collections()) == {"a"}


async def test_a_library_from_before_the_folders_were_confined_fails_for_good(confined: Scanner, allowed: Path) -> None:
    failed = await confined.failed(await confined.scan(allowed.parent / "outside"))
    assert (failed.code, failed.final) == ("root_not_allowed", True)
    assert await confined.collections() == {}


async def test_a_link_between_two_allowed_places_is_fine(confined: Scanner, allowed: Path) -> None:
    put(allowed / "real", "a/1.jpg")
    (allowed / "photos").symlink_to(allowed / "real")
    await confined.completed(await confined.scan(allowed / "photos"))
    assert set(await confined.collections()) == {"a"}


Swap = Callable[[Path, Path], None]


def root_swapped(photos: Path, outside: Path) -> None:
    photos.rename(photos.with_name("moved"))
    photos.symlink_to(outside)


def folder_swapped(photos: Path, outside: Path) -> None:
    (photos / "a").rename(photos / "moved")
    (photos / "a").symlink_to(outside / "a")


@pytest.mark.parametrize("swap", [root_swapped, folder_swapped])
async def test_a_swap_in_the_middle_of_a_scan_reads_nothing_outside(
    confined: Scanner, allowed: Path, monkeypatch: pytest.MonkeyPatch, swap: Swap
) -> None:
    """The worst moment: a folder is known, and what leads to it is replaced just before it is opened."""
    photos, outside = allowed / "photos", allowed.parent / "outside"
    put(photos, "a/b/1.jpg")
    put(outside, "a/b/theirs1.jpg", "a/b/theirs2.jpg")

    def swapping(root: bytes, path: bytes, flags: int, bounds: Bounds) -> int:
        if path == b"a/b":
            swap(photos, outside)
        return open_below(root, path, flags, bounds)

    monkeypatch.setattr("services.scanner.listing.open_below", swapping)
    completed = await confined.completed(await confined.scan(photos))
    assert await confined.collections() == {}
    assert [(item.code, item.path) for item in completed.report] == [("unreadable", "a/b")]
    assert "outside of the folders that libraries are allowed in" in completed.report[0].message
