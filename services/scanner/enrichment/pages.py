"""Cuts what was found into events of at most 512 KiB. Pure."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.catalogue import PAGE_LIMIT_BYTES
from linstock.messages.enrichment import EnrichedCollection, ImageFact, QuarantinedFile

ROOM_BYTES = 1024  # for what stands around the collections of a page

T = TypeVar("T", ImageFact, QuarantinedFile)


class Studied(Struct, frozen=True, kw_only=True):
    """All that was found of one collection; `entry` holds all of the new images, however many."""

    entry: EnrichedCollection
    quarantined: tuple[QuarantinedFile, ...] = ()


def entries(studied: EnrichedCollection, limit: int = PAGE_LIMIT_BYTES) -> Iterator[EnrichedCollection]:
    """Parts that fit on a page each; all but the last have an empty digest and no cover."""
    frame = len(msgspec.json.encode(replace(studied, images=()))) + ROOM_BYTES
    *first, last = cut(studied.images, limit - frame)
    for images in first:
        yield EnrichedCollection(collection_id=studied.collection_id, digest="", mtime_ns=0, images=images)
    yield replace(studied, images=last)


def pages(
    collections: Sequence[EnrichedCollection], limit: int = PAGE_LIMIT_BYTES
) -> Iterator[tuple[EnrichedCollection, ...]]:
    page: list[EnrichedCollection] = []
    size = ROOM_BYTES
    for collection in collections:
        for entry in entries(collection, limit):
            length = len(msgspec.json.encode(entry)) + 1
            if page and size + length > limit:
                yield tuple(page)
                page, size = [], ROOM_BYTES
            page.append(entry)
            size += length
    if page:
        yield tuple(page)


def cut(files: Sequence[T], limit: int) -> list[tuple[T, ...]]:
    """In order, each part of at most `limit` bytes as JSON; at least one, possibly empty."""
    parts: list[tuple[T, ...]] = []
    part: list[T] = []
    size = 0
    for file in files:
        length = len(msgspec.json.encode(file)) + 1
        if part and size + length > limit:
            parts.append(tuple(part))
            part, size = [], 0
        part.append(file)
        size += length
    parts.append(tuple(part))
    return parts
