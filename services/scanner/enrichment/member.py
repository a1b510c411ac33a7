"""Images in archives, for the reading process only. A name in an archive is never used as a path."""

import lzma
import zipfile
import zlib
from io import BytesIO

from services.scanner.archive import DAMAGE, BoundedFile, BrokenArchive, stored_name
from services.scanner.enrichment.image import HEAD_BYTES, TAIL_BYTES, Excerpt, Flawed
from services.scanner.enrichment.limits import (
    LARGEST_FILE_BYTES,
    LARGEST_MEMBER_BYTES,
    MOST_ENTRIES,
    MOST_RATIO,
    RATIO_FROM_BYTES,
)

PART_BYTES = 256 * 1024
_ENCRYPTED = 1  # general purpose flag bit 0

_READ_DAMAGE = (*DAMAGE, zlib.error, lzma.LZMAError, OSError, RuntimeError)


class Members:
    """The entries of an open archive, by name as stored. Raises Flawed when the archive as a whole is refused."""

    def __init__(self, file: BoundedFile) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
            entries = self._archive.infolist()
        except BrokenArchive as error:
            raise Flawed("broken_archive", error.detail) from error
        except MemoryError as error:
            raise Flawed("too_many_entries", "Its directory takes more memory than may be used.") from error
        except DAMAGE as error:
            raise Flawed("broken_archive", (str(error) or type(error).__name__)[:300]) from error
        if len(entries) > MOST_ENTRIES:
            raise Flawed("too_many_entries", f"It holds {len(entries):,} entries; at most {MOST_ENTRIES:,} are read.")
        self._entries = {stored_name(entry): entry for entry in entries}

    def excerpt(self, name: bytes) -> Excerpt | None:
        """Reads all of the entry, which checks its sum too. None: there is no such entry. Raises Flawed."""
        entry = self._allowed(name)
        if entry is None:
            return None
        try:
            with self._archive.open(entry) as stream:
                head = stream.read(HEAD_BYTES)
                tail, size_bytes = head[-TAIL_BYTES:], len(head)
                while part := stream.read(PART_BYTES):
                    tail, size_bytes = (tail + part)[-TAIL_BYTES:], size_bytes + len(part)
        except _READ_DAMAGE as error:
            raise _damaged(error) from error
        return Excerpt(head, tail, size_bytes)

    def file(self, name: bytes) -> BytesIO | None:
        """The entry in memory. None: there is no such entry. Raises Flawed."""
        entry = self._allowed(name)
        if entry is None:
            return None
        if entry.file_size > LARGEST_MEMBER_BYTES:
            limit = f"{LARGEST_MEMBER_BYTES:,} bytes of an archive's entry are held in memory"
            raise Flawed("too_large", f"It has {entry.file_size:,} bytes; at most {limit}.")
        try:
            with self._archive.open(entry) as stream:
                return BytesIO(stream.read())
        except MemoryError as error:
            raise Flawed("too_much_memory", "Unpacking it takes more memory than may be used.") from error
        except _READ_DAMAGE as error:
            raise _damaged(error) from error

    def _allowed(self, name: bytes) -> zipfile.ZipInfo | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        if _leads_out(name):
            raise Flawed("bad_name", "Its name leads out of the archive.")
        if entry.flag_bits & _ENCRYPTED:
            raise Flawed("encrypted", "It is encrypted.")
        if entry.file_size > LARGEST_FILE_BYTES:
            raise Flawed("too_large", f"It has {entry.file_size:,} bytes; at most {LARGEST_FILE_BYTES:,} are read.")
        if entry.file_size > max(RATIO_FROM_BYTES, MOST_RATIO * entry.compress_size):
            ratio = entry.file_size // max(1, entry.compress_size)
            text = f"It unpacks to {ratio:,} times its size; at most {MOST_RATIO} times are read."
            raise Flawed("zip_ratio", text)
        return entry


def _leads_out(name: bytes) -> bool:
    parts = name.replace(b"\\", b"/").split(b"/")
    return b"\0" in name or b".." in parts or parts[0] == b"" or parts[0].endswith(b":")


def _damaged(error: BaseException) -> Flawed:
    if isinstance(error, OSError) and error.errno is not None:
        raise error  # the disk's fault, not the file's
    return Flawed("corrupt", (str(error) or type(error).__name__)[:300])
