"""What one scan is entitled to see: the tree as it is, but for what its mode lets it take from an earlier look.

`quick` takes a folder whose times are as they were, `changed` an archive whose size and time are; `deep` takes nothing.
"""

import os
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct, field

from linstock.messages.library import IMAGE_EXTENSIONS
from tests.model.catalogue import Catalogue, Collection, Images, Key
from tests.model.disk import IGNORE_FILE, MEMBER_NS, Archive, Disk, Folder, Image, Node, Text, join
from tests.model.reach import Reach
from tests.model.wishes import ARCHIVE, FOLDER, Sieve, Wishes, parents

Stamp: TypeAlias = tuple[int, int]


class Row(Struct, frozen=True):
    """A folder in which all was as recorded. No stamp: it is looked at again."""

    stamp: Stamp | None
    said: object
    subfolders: list[str]
    keys: list[Key]
    entries: int


class Opened(Struct, frozen=True):
    """What an archive of this size and time held."""

    size_bytes: int
    mtime_ns: int
    wanted: tuple[str, ...]
    images: Images
    left_out: int


class Memory(Struct):
    """What scans may take from earlier ones."""

    look: object = None
    rows: dict[str, Row] = field(default_factory=dict)
    opened: dict[str, Opened] = field(default_factory=dict)


class Compared(Struct):
    """A collection that was seen, beside what was recorded. `gone` are images that are not there, `excluded` those that
    are left out."""

    images: Images
    size_bytes: int
    mtime_ns: int
    added: bool = False
    changed: bool = False
    was_missing: bool = False
    moved_from: Key | None = None
    gone: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    @property
    def restored(self) -> bool:
        """As it was recorded."""
        return self.was_missing and not self.changed and not self.moved_from

    @property
    def odd(self) -> bool:
        return bool(self.gone or self.excluded or self.restored)


class Listed(Struct):
    """A folder that was looked at, and which of its images and archives are not left out."""

    path: str
    stamp: Stamp
    images: dict[str, Image]
    left_out: int
    archives: dict[str, Archive]
    subfolders: list[str]
    entries: dict[str, Node]
    troubled: bool


class Look:
    """All of one scan, and what it may remember afterwards."""

    def __init__(
        self, disk: Disk, wishes: Wishes, mode: str, reach: Reach, memory: Memory, catalogue: Catalogue
    ) -> None:
        self.sieve = Sieve(wishes)
        self.reach = reach
        self.seen: dict[Key, Compared] = {}
        self.only_excluded: dict[Key, Compared] = {}
        self.troubles: list[tuple[str, str]] = []
        self.rows: dict[str, Row] = {}
        self.taken: set[str] = set()
        self.opened: dict[str, Opened] = {}
        self.root_entries = len(disk.tree.entries)
        self.folders = 0
        self._disk = disk
        self._wishes = wishes
        self._mode = mode
        self._known = memory.rows if memory.look == wishes.look else {}
        self._opened = memory.opened
        self._catalogue = catalogue
        self._listed: list[Listed] = []
        self._left: set[Key] = set()  # where what has moved was before
        for path, below in reach.stretches:
            self._stretch(path, below=below)
        self._strangers = [each.images for each in self._listed if (FOLDER, each.path) not in catalogue.collections]
        self._strange_archives = {
            (archive.size_bytes, archive.mtime_ns)
            for each in self._listed
            for path, archive in each.archives.items()
            if (ARCHIVE, path) not in catalogue.collections
        }
        for each in self._listed:
            self._compare_all(each)

    def could_not_see(self, key: Key) -> bool:
        kind, path = key
        unreadable = {path for _, path in self.troubles}
        if not unreadable.isdisjoint(parents(path)):
            return True
        images = {each for each in unreadable if each.lower().endswith(IMAGE_EXTENSIONS)}
        return kind == FOLDER and path in {each.rpartition("/")[0] for each in images}

    def _stretch(self, top: str, *, below: bool) -> None:
        above = parents(top)[:-1]
        if not self.sieve.looks_into(top):
            return
        if not all(isinstance(self._disk.at(path), Folder) for path in above):
            self.troubles.append(("vanished", top))
            return
        for path in above:
            self._read_ignores(path)
        if not self.sieve.looks_into(top):
            return
        waiting = [top]
        while waiting:
            path = waiting.pop()
            subfolders = self._visit(path)
            if below:
                waiting += [join(path, name) for name in sorted(subfolders, key=os.fsencode, reverse=True)]

    def _visit(self, path: str) -> list[str]:
        node, row = self._disk.at(path), self._known.get(path)
        if not isinstance(node, Folder):
            self.troubles.append(("vanished", path))
            return []
        stamp = self._disk.stamp(path)
        if self._mode == "quick" and row and row.stamp == stamp and row.said == self.sieve.said_of(path):
            return self._stand(path, row)
        if node.locked:
            self.troubles.append(("unreadable", path))
            return []
        return self._list(path, node, stamp)

    def _stand(self, path: str, row: Row) -> list[str]:
        self.folders += 1
        self.taken.add(path)
        self.rows[path] = row
        for key in row.keys:
            known = self._catalogue.collections[key]
            self.seen[key] = Compared(dict(known.images), known.size_bytes, known.mtime_ns)
        return row.subfolders

    def _list(self, path: str, folder: Folder, stamp: Stamp) -> list[str]:
        self.folders += 1
        self.taken.add(path)
        before = len(self.troubles)
        if IGNORE_FILE in folder.entries and not self._read_ignores(path):
            self.troubles.append(("bad_ignore_file", join(path, IGNORE_FILE)))
        images = {name: node for name, node in folder.entries.items() if isinstance(node, Image)}
        kept = {name: node for name, node in images.items() if not self.sieve.leaves_out_image(join(path, name))}
        archives = {
            join(path, name): node
            for name, node in sorted(folder.entries.items(), key=lambda each: os.fsencode(each[0]))
            if isinstance(node, Archive) and not self.sieve.leaves_out_archive(join(path, name))
        }
        subfolders = [
            name
            for name, node in folder.entries.items()
            if isinstance(node, Folder)
            and self._wishes.subfolders
            and not self.sieve.excludes(join(path, name), folder=True)
        ]
        troubled = len(self.troubles) > before
        self._listed.append(
            Listed(path, stamp, kept, len(images) - len(kept), archives, subfolders, folder.entries, troubled)
        )
        return subfolders

    def _compare_all(self, listed: Listed) -> None:
        path, before, keys = listed.path, len(self.troubles), {*self.seen, *self.only_excluded}
        self._folder(path, listed.images, left_out=listed.left_out)
        for archive_path, archive in listed.archives.items():
            self._archive(archive_path, archive)
        new = {*self.seen, *self.only_excluded} - keys
        odd = not new.isdisjoint(self.only_excluded) or any(self.seen[key].odd for key in new if key in self.seen)
        if len(self.troubles) == before and not odd and not listed.troubled:
            stands = None if IGNORE_FILE in listed.entries else listed.stamp
            said = self.sieve.said_of(path)
            self.rows[path] = Row(stands, said, listed.subfolders, sorted(new), len(listed.entries))
        if self._mode == "deep":
            self.troubles += [
                ("broken_image", join(path, name)) for name, node in listed.images.items() if not node.sound
            ]

    def _read_ignores(self, path: str) -> bool:
        found = self._disk.folder(path).entries.get(IGNORE_FILE)
        return not isinstance(found, Text) or self.sieve.read(path, found.content)

    def _folder(self, path: str, kept: dict[str, Image], *, left_out: int) -> None:
        images = {name: (node.size_bytes, node.mtime_ns) for name, node in kept.items()}
        if images or left_out:
            size = sum(size for size, _ in images.values())
            self._compare((FOLDER, path), images, size, 0, lambda name: self.sieve.leaves_out_image(join(path, name)))

    def _archive(self, path: str, archive: Archive) -> None:
        found = self._as_opened(path, archive)
        if found is None:
            if archive.locked or archive.members is None:
                self.troubles.append(("unreadable" if archive.locked else "broken_archive", path))
                return
            members = {name: size for name, size in archive.members.items() if name.lower().endswith(IMAGE_EXTENSIONS)}
            wanted = {
                name: (size, MEMBER_NS) for name, size in members.items() if not self.sieve.leaves_out_member(name)
            }
            left_out = len(members) - len(wanted)
            found = Opened(archive.size_bytes, archive.mtime_ns, self._wishes.images, wanted, left_out)
            self.opened[path] = found
        if found.images or found.left_out:
            key = (ARCHIVE, path)
            self._compare(key, found.images, archive.size_bytes, archive.mtime_ns, self.sieve.leaves_out_member)

    def _as_opened(self, path: str, archive: Archive) -> Opened | None:
        """What is remembered of it, if it need not be opened."""
        before, known = self._opened.get(path), self._at((ARCHIVE, path))
        if before is None or self._mode == "deep" or before.wanted != self._wishes.images:
            return None
        now = (archive.size_bytes, archive.mtime_ns)
        if now != (before.size_bytes, before.mtime_ns):
            return None
        if known and len(known.images) > len(before.images):
            return None  # some of its images were not seen then, and which is not remembered
        recorded = known is not None and now == (known.size_bytes, known.mtime_ns)
        return before if recorded or not before.images else None

    def _compare(self, key: Key, images: Images, size: int, mtime: int, leaves_out: Callable[[str], bool]) -> None:
        known = self._at(key)
        seen = Compared(images, size, mtime, added=known is None)
        if known is None and images and (origin := self._origin(key, images, size, mtime)):
            seen = Compared(images, size, mtime, moved_from=origin)
            seen.was_missing = self._catalogue.collections[origin].missing
            self._left.add(origin)
        elif known is not None:
            unseen = [name for name in known.images if name not in images]
            seen.excluded = [name for name in unseen if leaves_out(name)]
            seen.gone = [name for name in unseen if not leaves_out(name)]
            archive_changed = key[0] == ARCHIVE and (size, mtime) != (known.size_bytes, known.mtime_ns)
            seen.changed = archive_changed or any(known.images.get(name) != images[name] for name in images)
            seen.was_missing = known.missing
        if images:
            self.seen[key] = seen
        elif seen.excluded:  # there, with nothing but images that are left out
            self.only_excluded[key] = seen

    def _at(self, key: Key) -> Collection | None:
        return None if key in self._left else self._catalogue.collections.get(key)

    def _origin(self, key: Key, images: Images, size: int, mtime: int) -> Key | None:
        """Where a collection that nobody knows here was before, if exactly one that looks the same has gone (or one of
        its name)."""
        kind, path = key
        first = min(images, key=os.fsencode)
        gone: list[Key] = []
        for (known_kind, known_path), known in self._catalogue.collections.items():
            place = (known_kind, known_path)
            alike = known_kind == kind and known_path != path and known.images == images
            if kind == ARCHIVE:
                now = (size, mtime)
                alike &= now == (known.file_size, known.mtime_ns) and now in self._strange_archives
            else:
                asked = [
                    {name: (each.size_bytes, each.mtime_ns) for name, each in one.items()} for one in self._strangers
                ]
                alike &= images in asked
            if not alike or place in self._left or place in self.seen or place in self.only_excluded:
                continue
            if self._disk.at(join(known_path, first) if kind == FOLDER else known_path) is None:
                gone.append(place)
        if len(gone) > 1:
            gone = [place for place in gone if place[1].rpartition("/")[2] == path.rpartition("/")[2]]
        return gone[0] if len(gone) == 1 else None
