"""The scanner's own picture of the catalogues, to compare a disk with. Never the truth: it is made from the log, each
library's rows say which catalogue version they reflect, and they may be emptied at any time.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.messages.catalogue import Arrival, CollectionEntry, CollectionsRecorded, FileEntry
from linstock.messages.message import Message
from services.scanner import history, index_moves, index_removals
from services.scanner.catalogue import Hold
from services.scanner.checkpoint import SoFar, decode, encode
from services.scanner.contents.hashes import Hashes
from services.scanner.diff import Known, collection_id
from services.scanner.folders import Connection, Folders, Pool, forget, forget_those_of, id_of
from services.scanner.identity import Kinship
from services.scanner.images import Images, empty, from_entries, merge, path_of
from services.scanner.index_moves import Elsewhere
from services.scanner.outcome import Unseen
from services.scanner.reach import EVERYWHERE, Reach
from services.scanner.scope import FOLDER, Scope

PATHS_AT_ONCE = 500
SHARES_AT_ONCE = 16  # of a page; each may be half a MiB
SHARES_BYTES = 8 * 1024 * 1024
REPLAY_BEYOND = 64  # events behind, from where the log is streamed instead of loaded
COMPACT_BEYOND = 64  # rows of one collection


# What a crash of Postgres takes away is made again from the log: nobody waits for the disk.
_LOCK = """
    INSERT INTO index_libraries AS mine (library_id, version) VALUES ($1, 0)
    ON CONFLICT (library_id) DO UPDATE SET version = mine.version
    RETURNING version, so_far, set_config('synchronous_commit', 'off', true)
"""

_SHARES = """
    SELECT collection_id, version, CASE WHEN bytes <= $2 THEN files END AS files FROM (
        SELECT *, sum(octet_length(files)) OVER (ORDER BY collection_id, version) AS bytes
        FROM index_images WHERE collection_id = ANY($1)
    ) AS shares ORDER BY collection_id, version
"""


class _Share(Message, frozen=True):
    collection_id: UUID
    files: Raw


class _Page(Message, frozen=True):
    """CollectionsRecorded, with the images left as the JSON that they are stored as."""

    library_id: UUID
    scan_id: UUID
    added: int
    collections: tuple[CollectionEntry, ...]
    files: tuple[_Share, ...]
    arrived: tuple[Arrival, ...] = ()


_PAGE_TYPE = CollectionsRecorded.__struct_config__.tag
_PAGES: msgspec.json.Decoder[_Page] = msgspec.json.Decoder(_Page)
_FILES: msgspec.json.Decoder[tuple[FileEntry, ...]] = msgspec.json.Decoder(tuple[FileEntry, ...])


class Place(Struct, frozen=True, kw_only=True):
    """Where a collection is. `size_bytes` and `mtime_ns` are an archive's own."""

    collection_id: UUID
    kind: str
    path: bytes
    size_bytes: int
    mtime_ns: int


class IndexGap(Exception):
    """The index is behind the event that it was given; it must catch up with the log first."""

    def __init__(self, library_id: UUID, *, at: int, given: int) -> None:
        super().__init__(f"{self.__doc__} Library {library_id}: at version {at}, given {given}.")
        self.library_id = library_id


class Index:
    """On a pool whose search path is the scanner's schema. Safe for concurrent use; a library's rows and the version
    that they reflect always change together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.folders = Folders(pool)
        self.hashes = Hashes(pool)

    async def known(self, places: Sequence[UUID]) -> dict[UUID, Known]:
        """What is recorded at each place where something is."""
        rows = await self._pool.fetch(
            "SELECT place, collection_id, digest, image_count, size_bytes, mtime_ns, missing FROM index_collections"
            " WHERE place = ANY($1) ORDER BY missing DESC, version",
            places,
        )
        return {
            row["place"]: Known(
                digest=row["digest"],
                image_count=row["image_count"],
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
                missing=row["missing"],
                own_id=None if row["collection_id"] == row["place"] else UUID(bytes=row["collection_id"].bytes),
            )
            for row in rows
        }

    async def present_at(self, places: Sequence[UUID]) -> dict[UUID, list[UUID]]:
        """The collections that are there, by place."""
        found: dict[UUID, list[UUID]] = {}
        query = "SELECT place, collection_id FROM index_collections WHERE place = ANY($1) AND NOT missing"
        for place, collection in await self._pool.fetch(query, places):
            found.setdefault(UUID(bytes=place.bytes), []).append(UUID(bytes=collection.bytes))
        return found

    async def kinship(
        self,
        library_id: UUID,
        places: Sequence[UUID],
        *,
        digests: Sequence[str],
        archives: Sequence[tuple[int, int]],
        others: Sequence[UUID] = (),
    ) -> Kinship:
        """Of places where nothing is recorded: collections of the library and of the `others`."""
        return await index_moves.kinship(
            self._pool, library_id, places, digests=digests, archives=archives, others=others
        )

    async def others(self, library_id: UUID) -> list[Elsewhere]:
        """The other libraries of its workspace whose content was ever recorded by a scan that had nothing to ask."""
        return await index_moves.others(self._pool, library_id)

    async def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        """All images recorded of each of them and not missing in it."""
        found = dict.fromkeys(collection_ids, empty())
        rows, newest = Counter[UUID](), dict[UUID, int]()
        async for each, version, files in self._shares(collection_ids):
            found[each] = merge(found[each], from_entries(_FILES.decode(files)))
            rows[each] += 1
            newest[each] = version
        for each, count in rows.items():
            found[each] = index_removals.without_missing(found[each])
            if count > COMPACT_BEYOND:
                await self._compact(each, newest[each], found[each])
        return found

    async def folder_images(self, collection_ids: Sequence[UUID], *, most: int | None = None) -> dict[UUID, Images]:
        """As `images`, of folders only; `most` images in all, and the smallest folders first."""
        query = (
            "SELECT collection_id, image_count FROM index_collections"
            " WHERE collection_id = ANY($1) AND kind = 'folder' ORDER BY image_count, collection_id"
        )
        wanted, room = list[UUID](), most
        for row in await self._pool.fetch(query, collection_ids) if collection_ids else ():
            if room is not None and (room := room - row["image_count"]) < 0:
                break
            wanted.append(UUID(bytes=row["collection_id"].bytes))
        return await self.images(wanted) if wanted else {}

    async def _shares(self, collection_ids: Sequence[UUID]) -> AsyncIterator[tuple[UUID, int, bytes]]:
        """With their versions, older ones of a collection first. A few megabytes come at once, what is more than that
        row by row."""
        rows = await self._pool.fetch(_SHARES, collection_ids, SHARES_BYTES)
        if all(row["files"] is not None for row in rows):
            for row in rows:
                yield row["collection_id"], row["version"], row["files"]
            return
        async with self._pool.acquire() as connection, connection.transaction():
            query = "SELECT collection_id, version, files FROM index_images WHERE collection_id = ANY($1) ORDER BY 1, 2"
            async for row in connection.cursor(query, collection_ids, prefetch=SHARES_AT_ONCE):
                yield row["collection_id"], row["version"], row["files"]

    async def _compact(self, collection_id: UUID, version: int, images: Images) -> None:
        """One row instead of all up to `version`. Whoever else does so at the same time writes the same."""
        async with self._pool.acquire() as connection, connection.transaction():
            query = "DELETE FROM index_images WHERE collection_id = $1 AND version <= $2"
            await connection.execute(query, collection_id, version)
            await connection.execute(
                "INSERT INTO index_images (collection_id, version, files) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                collection_id,
                version,
                msgspec.json.encode(images.entries(0, len(images))),
            )

    async def unseen(
        self,
        library_id: UUID,
        scope: Scope,
        seen: AbstractSet[bytes],
        *,
        unknown: Callable[[str, bytes], bool],
        reach: Reach = EVERYWHERE,
    ) -> Unseen:
        """What is recorded, not missing and not at one of the places `seen`. `unknown` says of a kind and path whether
        it may be there all the same; of what is not in `reach` nobody can tell either."""
        present, left_out, elsewhere = 0, 0, 0
        absent: list[UUID] = []
        doubtful: list[UUID] = []
        async with self._pool.acquire() as connection, connection.transaction():
            query = (
                "SELECT collection_id, place, kind, path FROM index_collections WHERE library_id = $1 AND NOT missing"
            )
            async for collection, place, kind, path in connection.cursor(query, library_id, prefetch=PATHS_AT_ONCE):
                if scope.narrows and scope.leaves_out(kind, path):
                    left_out += reach.whole or reach.holds(kind, path)
                    continue
                present += 1
                if not reach.whole and not reach.holds(kind, path):
                    elsewhere += 1
                    doubtful.append(UUID(bytes=collection.bytes))
                elif place.bytes not in seen:
                    (doubtful if unknown(kind, path) else absent).append(UUID(bytes=collection.bytes))
        return Unseen(
            present=present,
            left_out=left_out,
            absent=sorted(absent),
            unknown=sorted(doubtful),
            elsewhere=elsewhere,
        )

    async def places(self, library_id: UUID, *, after: UUID, limit: int) -> list[Place]:
        """Of collections that are not missing, with ids beyond `after`, ascending."""
        rows = await self._pool.fetch(
            "SELECT collection_id, kind, path, size_bytes, mtime_ns FROM index_collections"
            " WHERE library_id = $1 AND collection_id > $2 AND NOT missing ORDER BY collection_id LIMIT $3",
            library_id,
            after,
            limit,
        )
        return [
            Place(
                collection_id=UUID(bytes=row["collection_id"].bytes),
                kind=row["kind"],
                path=row["path"],
                size_bytes=row["size_bytes"],
                mtime_ns=row["mtime_ns"],
            )
            for row in rows
        ]

    async def proposals(self, library_id: UUID, hold: Hold) -> set[UUID]:
        """The collections that the hold proposed to mark missing, and that are not missing (yet)."""
        query = (
            "SELECT collection_id FROM index_proposals JOIN index_collections USING (library_id, collection_id)"
            " WHERE library_id = $1 AND scan_id = $2 AND attempt = $3 AND NOT missing"
        )
        rows = await self._pool.fetch(query, library_id, hold.scan_id, hold.attempt)
        return {UUID(bytes=row["collection_id"].bytes) for row in rows}

    async def workspace(self, library_id: UUID) -> str | None:
        """Whose library it is. None: no event of it was seen, or none since this is noted."""
        query = "SELECT workspace FROM index_libraries WHERE library_id = $1"
        found: str | None = await self._pool.fetchval(query, library_id)
        return found

    async def so_far(self, library_id: UUID, scan_id: UUID) -> SoFar:
        """What the scan has recorded, as far as the library's rows reflect it."""
        query = "SELECT so_far FROM index_libraries WHERE library_id = $1"
        return decode(await self._pool.fetchval(query, library_id)).of(scan_id)

    async def knows_nothing(self, library_id: UUID) -> bool:
        """No collection of the library was ever recorded."""
        query = "SELECT NOT EXISTS (SELECT FROM index_collections WHERE library_id = $1)"
        nothing: bool = await self._pool.fetchval(query, library_id)
        return nothing

    async def version(self, library_id: UUID) -> int:
        """The catalogue version that the library's rows reflect."""
        query = "SELECT version FROM index_libraries WHERE library_id = $1"
        found: int | None = await self._pool.fetchval(query, library_id)
        return found or 0

    async def apply(self, library_id: UUID, events: Iterable[Recorded]) -> None:
        """Catalogue events of one library, in order; those already reflected are passed over. Raises IndexGap."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_LOCK, library_id)
            assert row
            at = before = row["version"]
            so_far, workspace = decode(row["so_far"]), ""
            for event in events:
                if event.version <= at:
                    continue
                if event.version != at + 1:
                    raise IndexGap(library_id, at=at, given=event.version)
                if event.type == _PAGE_TYPE:
                    page = _PAGES.decode(event.data)
                    await _put(connection, page, event.version)
                    arrived = {each.collection_id for each in page.arrived}
                    finished = sum(1 for each in page.collections if each.digest and each.collection_id not in arrived)
                    so_far = so_far.page(page.scan_id, added=page.added, finished=finished)
                    so_far = so_far.found_elsewhere(page.scan_id, len(arrived))
                elif touched := await index_removals.apply(connection, event):
                    await forget_those_of(connection, touched)
                    so_far = index_removals.counted(so_far, event)
                at, workspace = event.version, event.workspace
            if at != before:
                query = "UPDATE index_libraries SET version = $2, workspace = $3, so_far = $4 WHERE library_id = $1"
                await connection.execute(query, library_id, at, workspace, encode(so_far))

    async def catch_up(self, log: EventLog, library_id: UUID, *, version: int) -> None:
        """Reflect the catalogue up to `version` at least. Holds a few events at a time however far behind it is."""
        at = await self.version(library_id)
        if at >= version:
            return
        if version - at > REPLAY_BEYOND:
            await self._replay(log, library_id)
        else:
            await self.apply(library_id, await log.load(library_id, after=at))

    async def rebuild(self, log: EventLog, library_id: UUID) -> None:
        """Forget the library's rows and make them again from the log."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK, library_id)
            await connection.execute("DELETE FROM index_collections WHERE library_id = $1", library_id)
            await connection.execute("DELETE FROM index_folders WHERE library_id = $1", library_id)
            await connection.execute("DELETE FROM index_proposals WHERE library_id = $1", library_id)
            query = "UPDATE index_libraries SET version = 0, so_far = NULL WHERE library_id = $1"
            await connection.execute(query, library_id)
        await self._replay(log, library_id)

    async def _replay(self, log: EventLog, library_id: UUID) -> None:
        async for events in history.batches(log, library_id):
            await self.apply(library_id, events)


async def _put(connection: Connection, page: _Page, version: int) -> None:
    entries = page.collections
    await forget(connection, [_folder_of(page.library_id, entry) for entry in entries])
    await connection.execute(
        "INSERT INTO index_collections"
        " (library_id, version, collection_id, kind, path, digest, image_count, size_bytes, mtime_ns, place)"
        " SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::int[], $8::bigint[],"
        " $9::bigint[], $10::uuid[])"
        " ON CONFLICT (collection_id) DO UPDATE SET (version, digest, image_count, size_bytes, mtime_ns, missing) ="
        " (excluded.version, excluded.digest, excluded.image_count, excluded.size_bytes, excluded.mtime_ns, false)",
        page.library_id,
        version,
        [entry.collection_id for entry in entries],
        [entry.kind for entry in entries],
        [path_of(entry) for entry in entries],
        [entry.digest for entry in entries],
        [entry.image_count for entry in entries],
        [entry.size_bytes for entry in entries],
        [entry.mtime_ns for entry in entries],
        [collection_id(page.library_id, entry.kind, path_of(entry)) for entry in entries],
    )
    await connection.execute(
        "INSERT INTO index_images (version, collection_id, files) SELECT $1, * FROM unnest($2::uuid[], $3::bytea[])",
        version,
        [share.collection_id for share in page.files],
        [bytes(share.files) for share in page.files],
    )


def _folder_of(library_id: UUID, entry: CollectionEntry) -> UUID:
    """The folder row that speaks of this collection."""
    path = path_of(entry)
    return id_of(library_id, path if entry.kind == FOLDER else path.rpartition(b"/")[0])
