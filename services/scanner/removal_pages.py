"""Cuts what is not there into pages of bounded encoded size. Pure, and lazy: it holds one page."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock.messages.catalogue import PAGE_LIMIT_BYTES, MissingFiles
from services.scanner.catalogue import IDS_OF_PAGE
from services.scanner.diff import Gone
from services.scanner.pages import ENVELOPE_BYTES

FRAME_BYTES = 256  # of a MissingFiles, without its names

Ids = tuple[UUID, ...]


class Part(Struct):
    """Some of a collection's names, and how large they are encoded."""

    names: list[str]
    names_bytes: list[bytes]
    size: int = FRAME_BYTES


def ids(collections: Sequence[UUID]) -> Iterator[Ids]:
    """Of one page each."""
    for start in range(0, len(collections), IDS_OF_PAGE):
        yield tuple(collections[start : start + IDS_OF_PAGE])


def files(gone: Iterable[Gone], *, limit_bytes: int = PAGE_LIMIT_BYTES) -> Iterator[tuple[MissingFiles, ...]]:
    """Of one page each. One collection's may take several: the last has the digest."""
    limit, page, size = limit_bytes - ENVELOPE_BYTES, list[MissingFiles](), 0
    for share, share_size in (each for one in gone for each in _shares(one, limit)):
        if page and size + share_size > limit:
            yield tuple(page)
            page, size = [], 0
        page.append(share)
        size += share_size
    if page:
        yield tuple(page)


def _shares(gone: Gone, limit: int) -> Iterator[tuple[MissingFiles, int]]:
    part = Part([], [])
    for raw in gone.names:
        try:
            name: str | bytes = raw.decode()
        except UnicodeDecodeError:
            name = raw
        size = len(msgspec.json.encode(name)) + 1
        if part.size + size > limit:
            yield _share(gone, part, ""), part.size
            part = Part([], [])
        part.size += size
        if isinstance(name, str):
            part.names.append(name)
        else:
            part.names_bytes.append(name)
    yield _share(gone, part, gone.digest), part.size


def _share(gone: Gone, part: Part, digest: str) -> MissingFiles:
    return MissingFiles(
        collection_id=gone.collection_id,
        names=tuple(part.names),
        names_bytes=tuple(part.names_bytes),
        image_count=gone.image_count,
        size_bytes=gone.size_bytes,
        digest=digest,
    )
