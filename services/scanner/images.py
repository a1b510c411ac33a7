"""The images of one collection as three sorted columns: about 90 bytes each, where objects would take 400. Pure."""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from operator import lt

from linstock.messages.catalogue import CollectionEntry, FileEntry

FEW = 16  # times fewer: then each is looked up
SHOWN_BYTES = 2000  # of a path's text; an index row of Postgres takes 2704


class Images:
    """Names (bytes, unique, ascending), sizes and modification times. Not changed once it is made."""

    __slots__ = ("_digest", "mtimes", "names", "sizes")

    def __init__(self, names: list[bytes], sizes: "array[int]", mtimes: "array[int]") -> None:
        self.names = names
        self.sizes = sizes
        self.mtimes = mtimes
        self._digest: str | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Images):
            return NotImplemented
        return (self.names, self.sizes, self.mtimes) == (other.names, other.sizes, other.mtimes)

    __hash__ = None  # type: ignore[assignment]

    @property
    def size_bytes(self) -> int:
        return sum(self.sizes)

    def digest(self) -> str:
        """Of all names, sizes and times: equal digests, equal images."""
        if self._digest is None:
            digest = blake2b(digest_size=16)
            for batch in _batches(self.names, 4096):
                digest.update(b"\0".join(batch) + b"\0")
            for column in (self.sizes, self.mtimes):
                digest.update(_little_endian(column).tobytes())
            self._digest = digest.hexdigest()
        return self._digest

    def pick(self, indexes: Sequence[int]) -> "Images":
        """Those at `indexes`, which ascend."""
        return Images(
            [self.names[i] for i in indexes],
            array("q", [self.sizes[i] for i in indexes]),
            array("q", [self.mtimes[i] for i in indexes]),
        )

    def entries(self, start: int, stop: int) -> tuple[FileEntry, ...]:
        """As they are stored."""
        rows = zip(self.names[start:stop], self.sizes[start:stop], self.mtimes[start:stop], strict=True)
        return tuple([_entry(name, size, mtime) for name, size, mtime in rows])


def empty() -> Images:
    return Images([], array("q"), array("q"))


def from_rows(rows: Iterable[tuple[bytes, int, int]]) -> Images:
    """(name, size, mtime) in any order; of rows with one name the last counts."""
    newest = {name: (size, mtime) for name, size, mtime in rows}
    names = sorted(newest)
    return Images(names, array("q", [newest[n][0] for n in names]), array("q", [newest[n][1] for n in names]))


def from_entries(entries: Sequence[FileEntry]) -> Images:
    """Of entries with one name the last counts."""
    names = [entry.name.encode() if entry.name_bytes is None else entry.name_bytes for entry in entries]
    sizes, mtimes = [entry.size_bytes for entry in entries], [entry.mtime_ns for entry in entries]
    if all(map(lt, names, islice(names, 1, None))):  # as they were stored
        return Images(names, array("q", sizes), array("q", mtimes))
    return from_rows(zip(names, sizes, mtimes, strict=True))


def name_of(entry: FileEntry) -> bytes:
    return entry.name.encode() if entry.name_bytes is None else entry.name_bytes


def path_of(entry: CollectionEntry) -> bytes:
    return entry.path.encode() if entry.path_bytes is None else entry.path_bytes


def displayed(raw: bytes, *, limit_bytes: int = SHOWN_BYTES) -> tuple[str, bytes | None]:
    """How a name or path is stored: text, and its bytes when the text does not say all of them: they are not UTF-8, or
    too long to be shown, sorted and indexed."""
    text = raw.decode(errors="replace")
    encoded = text.encode()
    if len(encoded) > limit_bytes:
        half = limit_bytes // 2
        return f"{encoded[:half].decode(errors='ignore')}…{encoded[-half:].decode(errors='ignore')}", raw
    return text, None if encoded == raw else raw


def merge(older: Images, newer: Images) -> Images:
    """All of both; where both have a name, the newer one's."""
    if not older or (newer and older.names[-1] < newer.names[0]):
        # Pages of one collection follow each other: no need to compare name by name.
        return Images(older.names + newer.names, older.sizes + newer.sizes, older.mtimes + newer.mtimes)
    if len(newer) * FEW <= len(older):
        return _amended(older, newer)
    replaced = set(newer.names)
    kept = older.pick([i for i, name in enumerate(older.names) if name not in replaced])
    both = Images(kept.names + newer.names, kept.sizes + newer.sizes, kept.mtimes + newer.mtimes)
    # Two sorted runs: the sort is one linear merge.
    return both.pick(sorted(range(len(both)), key=both.names.__getitem__))


def _amended(older: Images, newer: Images) -> Images:
    """As `merge`, name by name of `newer`."""
    names, sizes, mtimes = older.names[:], older.sizes[:], older.mtimes[:]
    for name, size, mtime in zip(newer.names, newer.sizes, newer.mtimes, strict=True):
        at = bisect_left(names, name)
        if at < len(names) and names[at] == name:
            sizes[at], mtimes[at] = size, mtime
        else:
            names.insert(at, name)
            sizes.insert(at, size)
            mtimes.insert(at, mtime)
    return Images(names, sizes, mtimes)


def changed_since(older: Images, newer: Images) -> Images:
    """Those of `newer` that `older` has not, or has with another size or time."""
    return newer.pick(list(_changed(older, newer)))


def _changed(older: Images, newer: Images) -> Iterator[int]:
    at, end = 0, len(older)
    for i, name in enumerate(newer.names):
        while at < end and older.names[at] < name:
            at += 1
        same = at < end and older.names[at] == name
        if not same or older.sizes[at] != newer.sizes[i] or older.mtimes[at] != newer.mtimes[i]:
            yield i


def _entry(name: bytes, size_bytes: int, mtime_ns: int) -> FileEntry:
    try:
        return FileEntry(name=name.decode(), size_bytes=size_bytes, mtime_ns=mtime_ns)
    except UnicodeDecodeError:
        text, raw = displayed(name)
        return FileEntry(name=text, size_bytes=size_bytes, mtime_ns=mtime_ns, name_bytes=raw)


def _batches(names: list[bytes], size: int) -> Iterator[list[bytes]]:
    remaining = iter(names)
    while batch := list(islice(remaining, size)):
        yield batch


def _little_endian(column: "array[int]") -> "array[int]":
    if sys.byteorder == "little":
        return column
    swapped = array("q", column)
    swapped.byteswap()
    return swapped
