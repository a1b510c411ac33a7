"""A small real folder tree to scan: images, an archive, things to ignore."""

import zipfile
from pathlib import Path

FOLDERS = 6
IMAGES = 4


def grow(root: Path) -> int:
    """Make the tree; returns how many collections a scan must find."""
    for number in range(FOLDERS):
        add_folder(root, f"album {number}")
    with zipfile.ZipFile(root / "comic.cbz", "w") as archive:
        for page in range(3):
            archive.writestr(f"page{page}.jpg", b"\xff\xd8" + bytes([page]) * 100)
    (root / "notes.txt").write_text("not a collection")
    (root / "empty").mkdir()
    return FOLDERS + 1


def add_folder(root: Path, name: str) -> None:
    """One more collection, complete as soon as it can be seen."""
    partial = root.parent / f".{root.name}-{name}"
    partial.mkdir(parents=True)
    for number in range(IMAGES):
        (partial / f"image {number}.jpg").write_bytes(b"\xff\xd8" + bytes(number + 1) * 50)
    root.mkdir(exist_ok=True)
    partial.rename(root / name)
