"""What folders held when they were looked at last: a row each, so that one that is as it was costs a comparison. Pure
but for `standing`, which asks the disk for a folder's stamp.

A row says of a folder that what was seen there is what the catalogue has of it. It exists only where nothing was in
trouble, absent or excluded; everything else is looked at in full each time.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.scanner.checkpoint import order
from services.scanner.listing import UNSURE, Folder, stamp_of
from services.scanner.opening import below

SHAPE = 1
"""Raise it whenever a row or a digest changes its meaning: then every folder is looked at in full once."""


class FolderRow(Struct, frozen=True, array_like=True, gc=False):
    """`digest` is of all that counts in the folder: names, types, sizes and times of its entries. `subfolders` are
    names, separated by NUL; `collections` are ids of 16 bytes each. The counts are as in Folder, `images` and
    `size_bytes` of all collections together. `ignores` is as in Folder."""

    path: bytes
    stamp: tuple[int, int]
    digest: bytes
    subfolders: bytes
    collections: bytes
    images: int
    size_bytes: int
    entries: int
    files: int
    symlinks: int
    specials: int
    left_out: int
    ignores: bytes = b""

    def below(self) -> list[bytes]:
        """Its subfolders, ascending."""
        return [below(self.path, name) for name in self.subfolders.split(b"\0")] if self.subfolders else []

    def collection_ids(self) -> Iterator[bytes]:
        return (self.collections[at : at + 16] for at in range(0, len(self.collections), 16))

    def at(self, stamp: tuple[int, int]) -> "FolderRow":
        """The same folder with another stamp."""
        return self if stamp == self.stamp else replace(self, stamp=stamp)


_DECODER = msgspec.msgpack.Decoder(FolderRow)
encode = msgspec.msgpack.Encoder().encode


class Remembered:
    """The rows that were stored of a library, or of a part of it, while one scan compares them. `quick`: a folder whose
    stamp is as it was is not looked at. `through`: up to this path an earlier attempt of the scan has looked already;
    `resumed` counts the folders that it vouches for."""

    def __init__(
        self, rows: Iterable[tuple[bytes, bytes]] = (), *, quick: bool = False, through: bytes | None = None
    ) -> None:
        self._rows = dict(rows)  # by path, encoded: a third of the memory
        self._quick = quick
        self._through = None if through is None else order(through)
        self._doubted: list[bytes] = []
        self.resumed = 0

    def standing(self, root: bytes, path: bytes, ignores: bytes = b"") -> FolderRow | None:
        """The row of a folder that need not be looked at; it is taken. `ignores` is the key of the ignore files above:
        one that has such a file itself never stands."""
        if self._through is not None and (row := self._compared(path, ignores)):
            return row
        encoded = self._rows.get(path) if self._quick else None
        if not encoded:
            return None
        try:
            # Folders above it were looked at before: none of them is a link.
            status = os.lstat(below(root, path)) if path else os.stat(root)  # noqa: PTH116 - names may be no UTF-8
        except (OSError, ValueError):
            return None
        row = _DECODER.decode(encoded)
        if row.stamp != stamp_of(status) or row.stamp == UNSURE or row.ignores != ignores:
            return None
        del self._rows[path]
        return row

    def take(self, path: bytes) -> FolderRow | None:
        """The folder is looked at; None: it has no row."""
        encoded = self._rows.pop(path, None)
        return None if encoded is None else _DECODER.decode(encoded)

    def distrust(self, row: FolderRow) -> None:
        """It was taken, and does not say any more what is there."""
        self._rows[row.path] = b""
        self._doubted.append(row.path)

    def doubt(self, path: bytes) -> None:
        """It could not be read: its row, if it has one, is not to be believed."""
        if self._rows.get(path):
            self._rows[path] = b""
            self._doubted.append(path)

    def take_doubted(self) -> list[bytes]:
        """The paths of rows that became wrong since the last call."""
        taken, self._doubted = self._doubted, []
        return taken

    def _compared(self, path: bytes, ignores: bytes) -> FolderRow | None:
        """The row of a folder that an earlier attempt has compared. Ignore files are read by every attempt."""
        assert self._through is not None
        encoded = self._rows.get(path)
        if not encoded or order(path) > self._through:
            return None
        row = _DECODER.decode(encoded)
        if row.ignores != ignores:
            return None
        del self._rows[path]
        self.resumed += 1
        return row

    def unseen(self) -> list[bytes]:
        """The paths of rows that were not taken: those folders are gone, or can't be vouched for."""
        return list(self._rows)


def row_of(folder: Folder, digest: bytes, collections: Iterable[bytes], *, images: int, size_bytes: int) -> FolderRow:
    """Of a folder that was looked at, with the ids of the collections that were seen in it."""
    return FolderRow(
        path=folder.path,
        stamp=folder.stamp,
        digest=digest,
        subfolders=b"\0".join(folder.subfolders),
        collections=b"".join(collections),
        images=images,
        size_bytes=size_bytes,
        entries=folder.entries,
        files=folder.files,
        symlinks=folder.symlinks,
        specials=folder.specials,
        left_out=folder.left_out_images + folder.left_out_others,
        ignores=folder.ignores,
    )


def digest_of(folder: Folder) -> bytes:
    """Equal digests, equal folders, as far as a scan looks at them."""
    digest = blake2b(folder.images.digest().encode(), digest_size=16)
    for archive in folder.archives:
        digest.update(b"%s\0%d %d\0" % (archive.path, archive.size_bytes, archive.mtime_ns))
    digest.update(b"\0".join(folder.subfolders))
    digest.update(folder.ignores)
    counts = (folder.files, folder.symlinks, folder.specials, folder.entries)
    digest.update(struct.pack("<6q", *counts, folder.left_out_images, folder.left_out_others))
    return digest.digest()
