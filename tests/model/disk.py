"""Trees of images and archives on the real disk, and the same in memory: what there is, as whoever made it knows it.

Paths are relative to the library's folder, "" for itself; bytes that are no UTF-8 are in names as surrogates. Only the
times of folders are asked from the disk: its clock makes them.
"""

import os
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from tests.support.trees import image

IGNORE_FILE = ".linstockignore"
SECOND_NS = 10**9
MEMBER_TIME = (2026, 1, 2, 3, 4, 6)
MEMBER_NS = 1767323046 * SECOND_NS
_END_OF_ARCHIVE = 22  # bytes of its last record, which says where the directory is


class Image(Struct):
    content: bytes
    mtime_ns: int
    sound: bool = True

    @property
    def size_bytes(self) -> int:
        return len(self.content)


class Archive(Struct):
    """`members` are all files in it, with their sizes; None: it is broken. `locked`: it can't be opened."""

    content: bytes
    mtime_ns: int
    members: dict[str, int] | None
    locked: bool = False

    @property
    def size_bytes(self) -> int:
        return len(self.content)


class Text(Struct):
    """Neither: an ignore file, or something that nobody asked for."""

    content: bytes
    mtime_ns: int


class Folder(Struct):
    """`locked`: what is in it can't be listed."""

    entries: dict[str, "Node"] = field(default_factory=dict)
    locked: bool = False


File: TypeAlias = Image | Archive | Text
Node: TypeAlias = Image | Archive | Text | Folder


class Disk:
    """One of several trees is at `root` at a time, or none. `number` is the file system's, by tree."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._clock = 1_600_000_000
        self._shelved = 0
        self.root = home / "root"
        self.trees = {"home": Folder(), "spare": Folder()}
        self.number = {"home": 1, "spare": 2}
        self.mounted: str | None = None
        for tree in self.trees:
            (home / tree).mkdir()
        (home / "shelf").mkdir()
        self.shelf: list[tuple[str, Node, Path]] = []  # where it was, what it is, where it is

    @property
    def tree(self) -> Folder:
        assert self.mounted
        return self.trees[self.mounted]

    def mount(self, tree: str | None) -> None:
        if self.mounted:
            self.root.rename(self._home / self.mounted)
        if tree:
            (self._home / tree).rename(self.root)
        self.mounted = tree

    def file_system(self) -> str:
        return f"disk {self.number[self.mounted]}" if self.mounted else ""

    def at(self, path: str) -> Node | None:
        node: Node | None = self.tree
        for part in path.split("/") if path else ():
            node = node.entries.get(part) if isinstance(node, Folder) else None
        return node

    def folder(self, path: str) -> Folder:
        found = self.at(path)
        assert isinstance(found, Folder)
        return found

    def all(self, kind: type[Node] | tuple[type[Node], ...]) -> list[str]:
        """The paths of what is there of this kind."""
        return [path for path, node in _below("", self.tree) if isinstance(node, kind)]

    def real(self, path: str) -> Path:
        return self.root / path if path else self.root

    def stamp(self, path: str) -> tuple[int, int]:
        status = self.real(path).stat()
        return status.st_mtime_ns, status.st_ctime_ns

    def tick(self) -> int:
        """A time that no file has yet."""
        self._clock += 1
        return self._clock * SECOND_NS

    def make_folder(self, path: str) -> None:
        parent, name = _split(path)
        self.real(path).mkdir()
        self.folder(parent).entries[name] = Folder()

    def write(self, path: str, node: File) -> None:
        """A new file, or into one that is there: then its folder's times stay."""
        parent, name = _split(path)
        self.real(path).write_bytes(node.content)
        os.utime(self.real(path), ns=(node.mtime_ns, node.mtime_ns))
        self.folder(parent).entries[name] = node

    def move(self, path: str, to: str) -> None:
        self.real(path).rename(self.real(to))
        (parent, name), (further, called) = _split(path), _split(to)
        self.folder(further).entries[called] = self.folder(parent).entries.pop(name)

    def copy(self, path: str, to: str) -> None:
        node = self.at(path)
        if isinstance(node, Folder):
            self.make_folder(to)
            for name in sorted(node.entries):
                self.copy(join(path, name), join(to, name))
        elif node:
            copied = deepcopy(node)
            if isinstance(copied, Archive):
                copied.locked = False
            self.write(to, copied)

    def take_away(self, path: str) -> None:
        """Out of the library; it may be put back as it was."""
        parent, name = _split(path)
        self._shelved += 1
        place = self._home / "shelf" / str(self._shelved)
        self.real(path).rename(place)
        self.shelf.append((path, self.folder(parent).entries.pop(name), place))

    def put_back(self, number: int) -> bool:
        """False: there is no place for it."""
        path, node, place = self.shelf[number]
        parent, name = _split(path)
        folder = self.at(parent)
        if not isinstance(folder, Folder) or name in folder.entries:
            return False
        place.rename(self.real(path))
        folder.entries[name] = node
        del self.shelf[number]
        return True

    def lock(self, path: str, *, locked: bool) -> None:
        """The mode changes as well, so that the disk tells of it as it would."""
        node = self.at(path)
        assert isinstance(node, Folder | Archive)
        self.real(path).chmod(0o711 if locked else 0o755)
        node.locked = locked

    def is_locked(self, path: bytes) -> bool:
        if not self.mounted:
            return False
        node = self.at(os.fsdecode(path))
        return isinstance(node, Folder | Archive) and node.locked


def _below(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    yield path, node
    if isinstance(node, Folder):
        for name in sorted(node.entries):
            yield from _below(join(path, name), node.entries[name])


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name


def image_of(name: str, size: int, mtime_ns: int, *, sound: bool = True) -> Image:
    """An image of about this many bytes; one that is not sound begins like none."""
    content = (image(name) if sound else b"no image") + b"\0" * size
    return Image(content, mtime_ns, sound)


def archive_of(members: dict[str, int], mtime_ns: int) -> Archive:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, size in members.items():
            archive.writestr(zipfile.ZipInfo(name, MEMBER_TIME), b"\0" * size)
    return Archive(packed.getvalue(), mtime_ns, dict(members))


def broken(archive: Archive) -> Archive:
    """Of the same size and time."""
    return Archive(archive.content[:-_END_OF_ARCHIVE] + b"\0" * _END_OF_ARCHIVE, archive.mtime_ns, None, archive.locked)
