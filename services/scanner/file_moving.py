"""Records which images that are gone were found elsewhere, before anything is called missing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.messages.catalogue import PAGE_LIMIT_BYTES, MovedFiles
from services.scanner.diff import Gone
from services.scanner.file_moves import File, Lost, told
from services.scanner.images import Images
from services.scanner.index import Index
from services.scanner.ledger import Ledger
from services.scanner.pages import ENVELOPE_BYTES
from services.scanner.removal_pages import FRAME_BYTES
from services.scanner.tally import Tally

IMAGES_OF_ABSENT = 20_000
"""In folders that are not there any more: so many are looked for elsewhere."""
FOLDERS_AT_ONCE = 64

Pairs = list[tuple[File, File]]


class FileMoving:
    """Of one attempt that has walked all it was to walk, and still owns the catalogue."""

    def __init__(self, library_id: UUID, *, ledger: Ledger, index: Index, now: Callable[[], datetime]) -> None:
        self._library_id = library_id
        self._ledger = ledger
        self._index = index
        self._now = now

    async def record(self, tally: Tally, absent: Sequence[UUID]) -> set[UUID]:
        """Those of the `absent` collections of which all images are elsewhere. What has moved is not gone any more for
        the tally. Raises NotOwner, and what the log raises."""
        folders = await self._index.folder_images(absent, most=IMAGES_OF_ABSENT)
        lost = Lost([*_files_of(tally.gone), *_files_in(folders)])
        if not lost:
            return set()
        async for page in self._ledger.found():
            lost.see(page)
        moves = lost.moves()
        reach("before_moving_images")
        for start in range(0, len(moves), FOLDERS_AT_ONCE):
            await self._move(dict(list(moves.items())[start : start + FOLDERS_AT_ONCE]))
        reach("after_moving_images")
        _forget(tally, moves)
        tally.moved_images += sum(map(len, moves.values()))
        return {each for each, pairs in moves.items() if each in folders and len(folders[each]) == len(pairs)}

    async def _move(self, moves: dict[UUID, Pairs]) -> None:
        held = await self._index.folder_images(list(moves))
        for page in _pages(_shares(each, pairs, held[each]) for each, pairs in moves.items()):
            recorded = await self._ledger.move_files(page, self._now())
            await self._index.apply(self._library_id, recorded)


def _files_of(gone: Iterable[Gone]) -> Iterator[File]:
    return _files_in({each.collection_id: each.files for each in gone if each.files is not None})


def _files_in(folders: dict[UUID, Images]) -> Iterator[File]:
    for each, images in folders.items():
        for name, size, mtime in zip(images.names, images.sizes, images.mtimes, strict=True):
            yield File(each, name, size, mtime)


def _forget(tally: Tally, moves: dict[UUID, Pairs]) -> None:
    """What has moved is neither gone nor absent."""
    left: list[Gone] = []
    for each in tally.gone:
        moved = {before.name for before, _ in moves.get(each.collection_id, ())}
        names = [name for name in each.names if name not in moved]
        tally.absent_images -= len(each.names) - len(names)
        if names:
            left.append(replace(each, names=names))
    tally.gone = left


def _shares(collection_id: UUID, pairs: Pairs, held: Images) -> Iterator[tuple[MovedFiles, int]]:
    """Each with its encoded size; the last says what is left."""
    moved = {before.name for before, _ in pairs}
    left = held.pick([at for at, name in enumerate(held.names) if name not in moved])
    share = MovedFiles(
        collection_id=collection_id, files=(), image_count=len(left), size_bytes=left.size_bytes, digest=""
    )
    files, size = [told(*pair) for pair in pairs], FRAME_BYTES
    taken = 0
    for at, file in enumerate(files):
        file_size = len(msgspec.json.encode(file)) + 1
        if size + file_size > PAGE_LIMIT_BYTES - ENVELOPE_BYTES:
            yield replace(share, files=tuple(files[taken:at])), size
            taken, size = at, FRAME_BYTES
        size += file_size
    yield replace(share, files=tuple(files[taken:]), digest=left.digest()), size


def _pages(shares: Iterable[Iterator[tuple[MovedFiles, int]]]) -> Iterator[tuple[MovedFiles, ...]]:
    page, size = list[MovedFiles](), 0
    for share, share_size in (each for several in shares for each in several):
        if page and size + share_size > PAGE_LIMIT_BYTES - ENVELOPE_BYTES:
            yield tuple(page)
            page, size = [], 0
        page.append(share)
        size += share_size
    if page:
        yield tuple(page)
