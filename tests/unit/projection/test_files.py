"""The files of a collection: whatever pages said of them, in whatever batches, chunks hold the last word in order."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from linstock.messages.catalogue import (
    CollectionFiles,
    CollectionsMarkedMissing,
    CollectionsRecorded,
    FileEntry,
    MissingFiles,
)
from services.projection.fact import Fact, fact_of
from services.projection.rows import Rows
from services.projection.views import files
from services.projection.views.files import CUT_TO, LIMIT, Chunk, HeldFile, name_of
from tests.support.recorded import RecordedLog

COLLECTION, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def page(entries: Sequence[FileEntry], collection_id: UUID = COLLECTION) -> Fact:
    event = CollectionsRecorded(
        scan_id=UUID(int=9),
        library_id=UUID(int=8),
        attempt=1,
        page=1,
        collections=(),
        files=(CollectionFiles(collection_id=collection_id, files=tuple(entries)),),
        added=0,
        at=NOON,
    )
    [delivered] = RecordedLog("scanner").says(UUID(int=8), event).deliveries
    return fact_of(delivered)


def folded(batches: Iterable[Sequence[Fact]]) -> dict[tuple[UUID, int], Chunk]:
    """As in a database: each batch loads what it asks for, and nothing else."""
    stored: dict[tuple[UUID, int], Chunk] = {}
    for batch in batches:
        rows: Rows[Chunk] = files.rows()
        wanted = {key for fact in batch for key in files.reads(fact)}
        rows.loaded([chunk for chunk in stored.values() if chunk.collection_id in wanted])
        for fact in batch:
            files.fold(rows, fact)
        stored |= {(chunk.collection_id, chunk.chunk): chunk for chunk in rows.changed()}
    return stored


def held(stored: dict[tuple[UUID, int], Chunk], collection_id: UUID = COLLECTION) -> list[FileEntry]:
    chunks = [chunk for (collection, _), chunk in stored.items() if collection == collection_id]
    ordered = sorted(chunks, key=lambda chunk: chunk.first_name)
    found = [msgspec.json.decode(chunk.files, type=list[FileEntry]) for chunk in ordered]
    assert [len(each) for each in found] == [chunk.file_count for chunk in ordered]
    assert all(len(each) <= LIMIT for each in found)
    return [entry for each in found for entry in each]


def entry(number: int, size_bytes: int = 1) -> FileEntry:
    return FileEntry(name=f"{number:07}.jpg", size_bytes=size_bytes, mtime_ns=number)


names = st.integers(0, 40).map("{:02}.jpg".format) | st.binary(min_size=1, max_size=3).map(lambda b: "x" + b.hex())
entries = st.builds(
    FileEntry,
    name=names,
    size_bytes=st.integers(0, 2**63 - 1),
    mtime_ns=st.integers(-(2**63), 2**63 - 1),
    name_bytes=st.none() | st.sampled_from([b"\xff", b"\xfe.jpg"]),
)


@given(st.lists(st.lists(entries, min_size=1), max_size=8), st.data())
@settings(deadline=None)
def test_the_last_word_on_each_name_counts_in_any_batches(pages: list[list[FileEntry]], data: st.DataObject) -> None:
    facts = [page(each) for each in pages]
    at = data.draw(st.integers(0, len(facts)))
    stored = folded([facts])
    assert folded([facts[:at], facts[at:]]) == stored == folded([fact] for fact in facts)
    last = {name_of(entry): entry for each in pages for entry in each}
    assert held(stored) == [last[name] for name in sorted(last)]


def test_a_large_collection_is_cut_into_chunks() -> None:
    stored = folded(
        [[page([entry(number) for number in range(start, start + 5000)])] for start in range(0, 50_000, 5000)]
    )
    assert held(stored) == [entry(number) for number in range(50_000)]
    assert len(stored) <= 50_000 // CUT_TO + 1


def test_names_that_come_between_stay_in_order() -> None:
    stored = folded([[page([entry(number) for number in range(start, 9000, 7)])] for start in range(7)])
    assert held(stored) == [entry(number) for number in range(9000)]
    assert len({chunk.first_name for chunk in stored.values()}) == len(stored)


def test_a_collection_that_changes_every_day_piles_up_nothing() -> None:
    first = page([entry(number) for number in range(3000)])
    daily = [page([entry(day % 3000, size_bytes=day)]) for day in range(2000)]
    before, after = folded([[first]]), folded([[first], *([each] for each in daily)])
    assert set(before) == set(after)
    assert held(after)[1999].size_bytes == 1999


def test_only_the_chunk_that_changed_is_written() -> None:
    rows = files.rows()
    files.fold(rows, page([entry(number) for number in range(5000)]))
    again: Rows[Chunk] = files.rows()
    again.loaded(rows.changed())
    files.fold(again, page([entry(2500, size_bytes=7)]))
    assert len(again.changed()) == 1


def test_collections_keep_to_themselves() -> None:
    stored = folded([[page([entry(1)]), page([entry(2)], OTHER)]])
    assert (held(stored), held(stored, OTHER)) == ([entry(1)], [entry(2)])


def test_an_image_that_is_missing_stays_and_says_since_when() -> None:
    event = CollectionsMarkedMissing(
        scan_id=UUID(int=9),
        library_id=UUID(int=8),
        attempt=1,
        page=2,
        at=NOON,
        files=(
            MissingFiles(collection_id=COLLECTION, names=(entry(1).name,), image_count=2, size_bytes=2, digest="left"),
        ),
    )
    [delivered] = RecordedLog("scanner").says(UUID(int=8), event).deliveries
    stored = folded([[page([entry(0), entry(1), entry(2)])], [fact_of(delivered)]])
    [chunk] = stored.values()
    marked = msgspec.json.decode(chunk.files, type=list[HeldFile])
    assert [file.missing_since for file in marked] == [None, NOON, None]
    assert held(stored) == [entry(0), entry(1), entry(2)]
    again = folded([[page([entry(0), entry(1), entry(2)])], [fact_of(delivered)], [page([entry(1, 7)])]])
    [chunk] = again.values()
    assert [file.missing_since for file in msgspec.json.decode(chunk.files, type=list[HeldFile])] == [None] * 3
