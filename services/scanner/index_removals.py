"""What the index remembers of things that are not there: missing collections and images, and what is proposed."""

import os
from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import msgspec

from linstock.eventlog.record import Recorded
from linstock.messages.catalogue import (
    CatalogueReleased,
    CollectionsDeparted,
    CollectionsMarkedMissing,
    CollectionsMoved,
    CollectionsPurged,
    CollectionsRestored,
    CollectionsReverted,
    FilesMoved,
    HoldSettled,
    MissingFiles,
    MovedFiles,
    RemovalsApproved,
    RemovalsHeld,
    RemovalsProposed,
    ScanStarted,
)
from services.scanner import index_moves, index_reverts
from services.scanner.checkpoint import SoFar
from services.scanner.folders import Connection
from services.scanner.images import Images, from_rows
from services.scanner.index_reverts import NOT_THERE

_Event = (
    CollectionsMarkedMissing
    | CollectionsMoved
    | CollectionsRestored
    | CollectionsReverted
    | CollectionsPurged
    | FilesMoved
    | CollectionsDeparted
    | ScanStarted
    | CatalogueReleased
    | RemovalsProposed
    | RemovalsHeld
    | RemovalsApproved
    | HoldSettled
)
_EVENTS: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event)
_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(_Event))


def without_missing(images: Images) -> Images:
    """Of all rows of a collection, newest last: the images that are there."""
    if NOT_THERE not in images.sizes:
        return images
    return images.pick([at for at, size in enumerate(images.sizes) if size != NOT_THERE])


async def apply(connection: Connection, recorded: Recorded) -> Sequence[UUID]:
    """One event of a catalogue that is no page of what was found. (What was rejected stays: nobody is asked again.)
    Returns the collections whose content it changed."""
    if recorded.type not in _TYPES:
        return ()
    match _EVENTS.decode(recorded.data):
        case CollectionsMarkedMissing(collections=collections, files=files):
            await _mark(connection, collections, missing=True)
            await _mark_files(connection, files, recorded.version)
            return [*collections, *(share.collection_id for share in files)]
        case CollectionsRestored(collections=collections):
            await _mark(connection, collections, missing=False)
            return collections
        case CollectionsMoved() as page:
            await index_moves.apply(connection, page, recorded.version)
            return [moved.entry.collection_id for moved in page.collections]
        case CollectionsReverted() as page:
            return await index_reverts.apply(connection, page, recorded.version)
        case FilesMoved(collections=moved):
            await _mark_files(connection, tuple(map(_without_moved, moved)), recorded.version)
            return [share.collection_id for share in moved]
        case ScanStarted() | CatalogueReleased() as event:
            await _locate(connection, event)
        case CollectionsPurged() | CollectionsDeparted() as page:
            await index_reverts.withdraw(connection, _forgotten(page))
        case RemovalsProposed() | RemovalsHeld() | RemovalsApproved() | HoldSettled() as event:
            await _propose(connection, event)
    return ()


def counted(so_far: SoFar, recorded: Recorded) -> SoFar:
    """With what the event says of the scan that wrote it."""
    match _EVENTS.decode(recorded.data):
        case CollectionsMarkedMissing(scan_id=scan_id, collections=collections, files=files):
            images = sum(len(share.names) + len(share.names_bytes) for share in files)
            return so_far.marked(scan_id, len(collections) + images)
        case CollectionsRestored(scan_id=scan_id, collections=collections):
            return so_far.brought_back(scan_id, len(collections))
        case CollectionsMoved(scan_id=scan_id, collections=moved):
            return so_far.found_elsewhere(scan_id, len(moved))
        case FilesMoved(scan_id=scan_id, collections=shares):
            return so_far.found_images_elsewhere(scan_id, sum(len(share.files) for share in shares))
        case _:
            return so_far


def _forgotten(page: CollectionsPurged | CollectionsDeparted) -> list[UUID]:
    """(Images that are missing the index does not know anyway.)"""
    if isinstance(page, CollectionsPurged):
        return list(page.collections)
    return [each.collection_id for each in page.collections]


async def _locate(connection: Connection, event: ScanStarted | CatalogueReleased) -> None:
    """Where the content is that the library's rows speak of. Of another folder nobody knows, until a scan of it had
    nothing to ask."""
    if isinstance(event, ScanStarted):
        query = "UPDATE index_libraries SET root = $2, file_system = CASE WHEN root = $2 THEN file_system ELSE '' END"
        await connection.execute(f"{query} WHERE library_id = $1", event.library_id, os.fsencode(event.root))
    elif event.file_system:
        query = "UPDATE index_libraries SET file_system = $2 WHERE library_id = $1"
        await connection.execute(query, event.library_id, event.file_system)


async def _propose(
    connection: Connection, event: RemovalsProposed | RemovalsHeld | RemovalsApproved | HoldSettled
) -> None:
    match event:
        case RemovalsProposed() as page:
            await connection.execute(
                "INSERT INTO index_proposals (library_id, scan_id, attempt, collection_id)"
                " SELECT $1, $2, $3, * FROM unnest($4::uuid[]) ON CONFLICT DO NOTHING",
                page.library_id,
                page.scan_id,
                page.attempt,
                page.collections,
            )
        case RemovalsHeld(library_id=library_id, scan_id=scan_id, attempt=attempt):
            query = "DELETE FROM index_proposals WHERE library_id = $1 AND (scan_id, attempt) <> ($2, $3)"
            await connection.execute(query, library_id, scan_id, attempt)
        case RemovalsApproved(library_id=library_id) | HoldSettled(library_id=library_id):
            await connection.execute("DELETE FROM index_proposals WHERE library_id = $1", library_id)


async def _mark(connection: Connection, collections: tuple[UUID, ...], *, missing: bool) -> None:
    query = "UPDATE index_collections SET missing = $2 WHERE collection_id = ANY($1)"
    await connection.execute(query, collections, missing)


async def _mark_files(connection: Connection, shares: tuple[MissingFiles, ...], version: int) -> None:
    await connection.execute(
        "UPDATE index_collections c SET (image_count, size_bytes, digest) = (s.image_count, s.size_bytes, s.digest)"
        " FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[])"
        " AS s (collection_id, image_count, size_bytes, digest) WHERE c.collection_id = s.collection_id",
        [share.collection_id for share in shares],
        [share.image_count for share in shares],
        [share.size_bytes for share in shares],
        [share.digest for share in shares],
    )
    await connection.execute(
        "INSERT INTO index_images (version, collection_id, files) SELECT $1, * FROM unnest($2::uuid[], $3::bytea[])",
        version,
        [share.collection_id for share in shares],
        [_tombstones(share) for share in shares],
    )


def _without_moved(share: MovedFiles) -> MissingFiles:
    """To the collection that they have left it is the same."""
    return MissingFiles(
        collection_id=share.collection_id,
        names=tuple(file.name for file in share.files if file.name_bytes is None),
        names_bytes=tuple(file.name_bytes for file in share.files if file.name_bytes is not None),
        image_count=share.image_count,
        size_bytes=share.size_bytes,
        digest=share.digest,
    )


def _tombstones(share: MissingFiles) -> bytes:
    names = [name.encode() for name in share.names] + list(share.names_bytes)
    images = from_rows((name, NOT_THERE, 0) for name in names)
    return msgspec.json.encode(images.entries(0, len(images)))
