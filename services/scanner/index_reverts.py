"""What the index makes of an undone scan: rows as they were before it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from linstock.messages.catalogue import CollectionsReverted, RevertedCollection
from services.scanner.diff import collection_id
from services.scanner.folders import Connection, forget_those_of
from services.scanner.images import from_rows, name_of, path_of

NOT_THERE = -1  # bytes: the size of an image that is missing, or not known any more


async def apply(connection: Connection, page: CollectionsReverted, version: int) -> Sequence[UUID]:
    """The collections that are known still."""
    known = [one for one in page.collections if one.entry is not None]
    await withdraw(connection, [one.collection_id for one in page.collections if one.entry is None])
    await forget_those_of(connection, [one.collection_id for one in known])  # where they were until now
    entries = [one.entry for one in known if one.entry is not None]
    await connection.execute(
        "UPDATE index_collections c SET (digest, image_count, size_bytes, mtime_ns, missing, path, place) ="
        " (s.digest, s.image_count, s.size_bytes, s.mtime_ns, s.missing, s.path, s.place)"
        " FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bool[], $7::bytea[],"
        " $8::uuid[])"
        " AS s (collection_id, digest, image_count, size_bytes, mtime_ns, missing, path, place)"
        " WHERE c.collection_id = s.collection_id",
        [entry.collection_id for entry in entries],
        [entry.digest for entry in entries],
        [entry.image_count for entry in entries],
        [entry.size_bytes for entry in entries],
        [entry.mtime_ns for entry in entries],
        [one.missing_since is not None for one in known],
        [path_of(entry) for entry in entries],
        [collection_id(page.library_id, entry.kind, path_of(entry)) for entry in entries],
    )
    told = [(one.collection_id, _images(one)) for one in known if one.files or one.absent or _forgotten(one)]
    await connection.execute(
        "INSERT INTO index_images (version, collection_id, files) SELECT $1, * FROM unnest($2::uuid[], $3::bytea[])",
        version,
        [collection_id for collection_id, _ in told],
        [images for _, images in told],
    )
    return [one.collection_id for one in known]


async def withdraw(connection: Connection, ids: Sequence[UUID]) -> None:
    """Nothing is known of them any more."""
    await forget_those_of(connection, ids)
    await connection.execute("DELETE FROM index_collections WHERE collection_id = ANY ($1)", ids)


def _images(one: RevertedCollection) -> bytes:
    gone = [name_of(file) for file in one.absent] + _forgotten(one)
    rows = [(name_of(file), file.size_bytes, file.mtime_ns) for file in one.files]
    images = from_rows([*rows, *((name, NOT_THERE, 0) for name in gone)])
    return msgspec.json.encode(images.entries(0, len(images)))


def _forgotten(one: RevertedCollection) -> list[bytes]:
    return [*(name.encode() for name in one.forgotten), *one.forgotten_bytes]
