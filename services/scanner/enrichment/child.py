"""`python -m services.scanner.enrichment.child`: the reading process. Reads images for the scanner that started it,
under limits that a hostile one can only break for this process. Ends when its standard input does.
"""

import errno
import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from linstock.roots import Bounds
from services.scanner.archive import BoundedFile, open_archive
from services.scanner.enrichment import limits, words
from services.scanner.enrichment.image import HEAD_BYTES, TAIL_BYTES, Excerpt, Flawed, decoded_size, size_of
from services.scanner.enrichment.member import Members
from services.scanner.enrichment.thumbnail import TooLarge, hash_of, thumbnails
from services.scanner.enrichment.words import Draw, Drawn, File, Look, Looked, Place
from services.scanner.listing import storable
from services.scanner.opening import below, open_below

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Changed(Exception):
    """It is not the file that was recorded (any more): the next scan will say."""


def main() -> None:
    confine()
    with open(0, "rb", closefd=False) as asked, open(1, "wb", closefd=False) as said:
        said.write(words.READY)
        said.flush()
        while (body := words.next_frame(asked)) is not None:
            request = words.requests.decode(body)
            answers = look(request) if isinstance(request, Look) else iter([draw(request)])
            for answer in answers:
                said.write(words.frame(answer))
                said.flush()


def confine() -> None:
    """No core, no files, a bounded heap, and behind everybody else."""
    os.nice(limits.NICE)
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_DATA, limits.PRIVATE_BYTES),
        (resource.RLIMIT_AS, limits.ADDRESS_BYTES),
    ):
        resource.setrlimit(limit, (most, most))


def look(request: Look) -> Iterator[Looked]:
    """One answer for each file, in order."""
    place = request.place
    if place.archive is None:
        for file in request.files:
            yield _answered(partial(_look_at_file, place, file))
        return
    _give_time()
    try:
        members = _ARCHIVES.members(place)
    except Flawed as flaw:
        for _ in request.files:
            yield Looked(code=flaw.code, message=flaw.message, archive=True)
    except (OSError, Changed) as error:
        for _ in request.files:
            yield _transient(error)
    else:
        for file in request.files:
            yield _answered(partial(_look_at_member, members, file))


def draw(request: Draw) -> Drawn:
    _give_time()
    place, wanted = request.place, request.file
    try:
        if place.archive is None:
            with _file(place, wanted) as file:
                return _drawn(file)
        member = _ARCHIVES.members(place).file(wanted.name)
        return Drawn(Looked(code=words.GONE)) if member is None else _drawn(member)
    except Flawed as flaw:
        return Drawn(Looked(code=flaw.code, message=flaw.message))
    except TooLarge:
        return Drawn(Looked())
    except (OSError, Changed) as error:
        return Drawn(_transient(error))


def _drawn(file: BinaryIO) -> Drawn:
    hashed = hash_of(file)
    (width, height), made = thumbnails(file)
    return Drawn(Looked(width, height), hashed, made)


def _answered(look_at: Callable[[], tuple[int, int]]) -> Looked:
    _give_time()
    try:
        width, height = look_at()
    except Flawed as flaw:
        return Looked(code=flaw.code, message=flaw.message)
    except MemoryError:
        return Looked(code="too_much_memory", message="Reading it takes more memory than may be used.")
    except (OSError, Changed) as error:
        return _transient(error)
    return Looked(width, height)


def _transient(error: Exception) -> Looked:
    if isinstance(error, Changed):
        return Looked(code=words.CHANGED)
    gone = isinstance(error, OSError) and error.errno in _GONE
    return Looked(code=words.GONE if gone else words.UNREADABLE, message=str(error)[:300])


def _look_at_file(place: Place, wanted: File) -> tuple[int, int]:
    with _file(place, wanted) as file:
        head = file.read(HEAD_BYTES)
        tail = head[-TAIL_BYTES:]
        if wanted.size_bytes > HEAD_BYTES:
            file.seek(-TAIL_BYTES, os.SEEK_END)
            tail = file.read(TAIL_BYTES)
        found = size_of(Excerpt(head, tail, wanted.size_bytes))
        if found is None:
            file.seek(0)
            found = decoded_size(file)
        return found


def _look_at_member(members: Members, wanted: File) -> tuple[int, int]:
    excerpt = members.excerpt(wanted.name)
    if excerpt is None:
        raise Changed
    found = size_of(excerpt)
    if found is None:
        file = members.file(wanted.name)
        assert file is not None
        found = decoded_size(file)
    return found


@contextmanager
def _file(place: Place, wanted: File) -> Iterator[BinaryIO]:
    flags = os.O_RDONLY | os.O_NONBLOCK
    descriptor = open_below(place.root, below(place.path, wanted.name), flags, Bounds(place.allowed))
    with os.fdopen(descriptor, "rb") as file:
        _refuse_another(descriptor, (wanted.size_bytes, wanted.mtime_ns))
        if wanted.size_bytes > limits.LARGEST_FILE_BYTES:
            most = limits.LARGEST_FILE_BYTES
            raise Flawed("too_large", f"It has {wanted.size_bytes:,} bytes; at most {most:,} are read.")
        yield file


class _Archives:
    """The one that was opened last stays open: a large directory takes longer to read than its images."""

    def __init__(self) -> None:
        self._open: tuple[Place, BoundedFile, Members] | None = None

    def members(self, place: Place) -> Members:
        """Raises OSError, Changed, Flawed."""
        assert place.archive is not None
        if self._open and self._open[0] == place:
            return self._open[2]
        if self._open:
            self._open[1].close()
            self._open = None
        file = BoundedFile(open_archive(place.root, place.path, Bounds(place.allowed)))
        try:
            _refuse_another(file.fileno(), place.archive)
            members = Members(file)
        except BaseException:
            file.close()
            raise
        self._open = (place, file, members)
        return members


_ARCHIVES = _Archives()


def _refuse_another(descriptor: int, recorded: tuple[int, int]) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_size, storable(status.st_mtime_ns)) != recorded:
        raise Changed


def _give_time() -> None:
    """The next image has so many processor seconds; then the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + limits.IMAGE_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
