"""Scans of trees with thousands of real images, from installed packages, against what os.walk and Pillow say."""

import os
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from linstock.messages.library import ARCHIVE_EXTENSIONS, IMAGE_EXTENSIONS
from tests.integration.scanner.conftest import Scanner
from tests.support.trees import put_many

# Each with the least it is expected to hold.
PACKAGES = {"crystal_small": 5000, "django_countries": 250, "qdarkstyle": 400}


def tree_of(package: str) -> Path:
    return Path(str(distribution(package).locate_file(package)))


def images(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names if Path(name).suffix.lower() in IMAGE_EXTENSIONS)


def by_folder(root: Path) -> dict[str, dict[str, int]]:
    """Sizes of the images of each folder that has any."""
    found: dict[str, dict[str, int]] = {}
    for path in images(root):
        folder = str(path.parent.relative_to(root))
        found.setdefault("" if folder == "." else folder, {})[path.name] = path.stat().st_size
    return found


async def recorded(scanner: Scanner) -> dict[str, dict[str, int]]:
    paths: dict[UUID, str] = {}
    found: dict[str, dict[str, int]] = {}
    for page in await scanner.pages():
        paths |= {entry.collection_id: entry.path for entry in page.collections}
        for share in page.files:
            sizes = {file.name: file.size_bytes for file in share.files}
            found[paths[share.collection_id]] = found.get(paths[share.collection_id], {}) | sizes
    return found


@pytest.mark.parametrize("package", PACKAGES)
async def test_a_package_is_catalogued_to_the_last_image(scanner: Scanner, package: str) -> None:
    root = tree_of(package)
    expected = by_folder(root)
    completed = await scanner.completed(await scanner.scan(root))
    assert await recorded(scanner) == expected
    counts = completed.counts
    assert counts.images == sum(map(len, expected.values())) >= PACKAGES[package]
    assert counts.size_bytes == sum(size for sizes in expected.values() for size in sizes.values())
    assert (counts.collections, counts.errors) == (len(expected), 0)
    entries = list(os.walk(root))
    assert (counts.folders, counts.files) == (len(entries), sum(len(names) for _, _, names in entries))
    recorded_pages = len(await scanner.pages())
    again = await scanner.completed(await scanner.scan(root))
    assert (again.counts.unchanged, again.counts.absent, len(await scanner.pages())) == (
        len(expected),
        0,
        recorded_pages,
    )


async def test_all_that_is_installed_is_catalogued_to_the_last_image(scanner: Scanner) -> None:
    root = Path(sysconfig.get_path("purelib"))
    expected = by_folder(root)
    archives = {
        str(path.relative_to(root)): {
            entry.filename: entry.file_size
            for entry in zipfile.ZipFile(path).infolist()
            if Path(entry.filename).suffix.lower() in IMAGE_EXTENSIONS
        }
        for path in root.rglob("*")
        if path.suffix.lower() in ARCHIVE_EXTENSIONS and zipfile.is_zipfile(path)
    }
    expected |= {path: held for path, held in archives.items() if held}
    completed = await scanner.completed(await scanner.scan(root))
    assert await recorded(scanner) == expected
    assert completed.counts.images == sum(map(len, expected.values())) >= sum(PACKAGES.values())
    for mode in ("quick", "changed", "deep"):
        again = (await scanner.completed(await scanner.scan(root, scan_mode=mode))).counts
        assert (again.unchanged, again.absent, again.images) == (len(expected), 0, completed.counts.images), mode
    assert len(await scanner.pages()) == len([page for page in await scanner.pages() if page.added])


@pytest.mark.parametrize("package", PACKAGES)
def test_they_are_images_indeed(package: str) -> None:
    formats: set[str | None] = set()
    for path in images(tree_of(package)):
        with Image.open(path) as image:
            formats.add(image.format)
    assert formats <= {"PNG", "GIF", "JPEG", "WEBP", "BMP"}


async def test_real_images_in_archives(scanner: Scanner, photos: Path) -> None:
    root = tree_of("django_countries")
    for number, folder in enumerate(sorted(by_folder(root))):
        with zipfile.ZipFile(photos / f"{number}.cbz", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((root / folder).iterdir()):
                archive.write(path, path.name)
    completed = await scanner.completed(await scanner.scan(photos))
    assert completed.counts.images == sum(map(len, by_folder(root).values()))
    assert sorted((await recorded(scanner)).values(), key=len) == sorted(by_folder(root).values(), key=len)


async def test_a_generated_tree_of_thirty_thousand(scanner: Scanner, photos: Path) -> None:
    for number in range(10):
        put_many(photos / f"{number}" / "deeper", folders=50, images=60)
    completed = await scanner.completed(await scanner.scan(photos))
    assert (completed.counts.images, completed.counts.collections) == (30_000, 500)
    assert await recorded(scanner) == by_folder(photos)
