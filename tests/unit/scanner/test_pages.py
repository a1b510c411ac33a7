from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from linstock.messages.catalogue import PAGE_LIMIT_BYTES, CollectionsRecorded
from services.scanner import removal_pages
from services.scanner.diff import Change, Changed, Gone, Known, Seen, Unchanged, compare
from services.scanner.images import Images, changed_since, empty, from_entries, from_rows, merge
from services.scanner.pages import Page, pages
from services.scanner.scope import ARCHIVE, FOLDER

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
SMALL = 4096


def encoded_size(page: Page) -> int:
    event = CollectionsRecorded(
        scan_id=UUID(int=2**128 - 1),
        library_id=UUID(int=2**128 - 1),
        attempt=2**31,
        page=2**31,
        collections=page.collections,
        files=page.files,
        added=page.added,
        at=NOW,
    )
    return len(msgspec.json.encode(event))


def seen(images: Images, path: bytes = b"a", number: int = 1) -> Seen:
    return Seen(collection_id=UUID(int=number), kind=FOLDER, path=path, images=images)


def change(images: Images, path: bytes = b"a", number: int = 1) -> Change:
    difference = compare(seen(images, path, number), None)
    assert isinstance(difference, Changed)
    return difference.change


def known(change: Change) -> Known:
    entry = change.entry
    return Known(
        digest=entry.digest, image_count=entry.image_count, size_bytes=entry.size_bytes, mtime_ns=entry.mtime_ns
    )


def folder_of(count: int) -> Images:
    return Images([b"image-%06d.jpg" % i for i in range(count)], array("q", range(count)), array("q", [7] * count))


def recorded_images(made: Iterable[Page], collection: UUID) -> Images:
    images = empty()
    for page in made:
        for share in page.files:
            if share.collection_id == collection:
                images = merge(images, from_entries(share.files))
    return images


def test_nothing_changed_is_no_page() -> None:
    assert list(pages([])) == []


def test_one_folder_of_100_000_images_is_spread_over_pages() -> None:
    one = change(folder_of(100_000))
    made = list(pages([one]))
    assert len(made) > 5
    assert all(encoded_size(page) <= PAGE_LIMIT_BYTES for page in made)
    assert recorded_images(made, one.entry.collection_id) == one.images
    assert [page.added for page in made] == [1] + [0] * (len(made) - 1)
    digests = [entry.digest for page in made for entry in page.collections]
    assert digests == [""] * (len(made) - 1) + [one.entry.digest]


def test_many_small_collections_share_pages() -> None:
    changes = [change(folder_of(3), b"folder-%d" % n, n) for n in range(2000)]
    made = list(pages(changes))
    assert sum(page.added for page in made) == 2000
    assert all(encoded_size(page) <= PAGE_LIMIT_BYTES for page in made)
    assert [entry for page in made for entry in page.collections] == [each.entry for each in changes]
    assert len(made) < 4


names = st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name and b"/" not in name)
rows = st.lists(st.tuples(names, st.integers(0, 2**62), st.integers(0, 2**62)), max_size=30)
trees = st.lists(st.tuples(st.binary(max_size=200), rows), max_size=8)


@for_all(trees)
def test_pages_hold_every_change_and_stay_small(tree: list[tuple[bytes, list[tuple[bytes, int, int]]]]) -> None:
    changes = [change(from_rows(images), path, number) for number, (path, images) in enumerate(tree)]
    made = list(pages(changes, limit_bytes=SMALL))
    for each in changes:
        assert recorded_images(made, each.entry.collection_id) == each.images
    final = {entry.collection_id: entry for page in made for entry in page.collections}
    assert final == {each.entry.collection_id: each.entry for each in changes}
    # One image and its collection are never cut in two, however long their names are.
    assert all(encoded_size(page) <= SMALL or sum(len(s.files) for s in page.files) <= 1 for page in made)


@for_all(rows, rows)
def test_what_was_recorded_and_what_is_seen_together_are_known_next_time(
    before: list[tuple[bytes, int, int]], after: list[tuple[bytes, int, int]]
) -> None:
    older, newer = from_rows(before), from_rows(after)
    first = change(older)
    second = compare(seen(newer), known(first), older)
    together = merge(older, newer)
    expected = {**{r[0]: r for r in before}, **{r[0]: r for r in after}}
    assert together == from_rows(expected.values())
    assert merge(older, changed_since(older, newer)) == together
    assert second.absent_images == len({r[0] for r in before} - {r[0] for r in after})
    if isinstance(second, Changed):
        assert second.change.images
        third = compare(seen(newer), known(second.change), together)
        assert third == Unchanged(absent_images=second.absent_images, gone=second.gone)
    else:
        assert together == older


def test_an_image_that_vanished_is_absent_and_changes_nothing() -> None:
    first = change(folder_of(3))
    difference = compare(seen(folder_of(2)), known(first), folder_of(3))
    left = change(folder_of(2)).entry
    assert difference.gone
    assert difference.gone.files == folder_of(3).pick([2])
    assert replace(difference, gone=replace(difference.gone, files=None)) == Unchanged(
        absent_images=1,
        gone=Gone(
            collection_id=left.collection_id,
            names=[b"image-000002.jpg"],
            image_count=2,
            size_bytes=left.size_bytes,
            digest=left.digest,
        ),
    )


def test_an_image_that_could_not_be_read_is_not_gone() -> None:
    first = change(folder_of(3))
    difference = compare(seen(folder_of(2)), known(first), folder_of(3), unreadable=lambda _: True)
    assert difference == Unchanged(absent_images=1)


@for_all(st.lists(st.binary(min_size=1, max_size=40).filter(lambda name: b"/" not in name), unique=True, max_size=60))
def test_what_is_gone_is_on_pages_that_hold_all_of_it(names: list[bytes]) -> None:
    gone = [
        Gone(collection_id=UUID(int=number), names=sorted(names), image_count=1, size_bytes=2, digest="left")
        for number in range(3)
        if names
    ]
    made = list(removal_pages.files(gone, limit_bytes=SMALL))
    assert all(len(msgspec.json.encode(page)) <= SMALL for page in made)
    shares = [share for page in made for share in page]
    for one in gone:
        parts = [share for share in shares if share.collection_id == one.collection_id]
        found = [name for part in parts for name in (*(text.encode() for text in part.names), *part.names_bytes)]
        assert sorted(found) == one.names
        assert [part.digest for part in parts] == [""] * (len(parts) - 1) + ["left"]


def test_one_changed_image_is_recorded_alone() -> None:
    first = change(folder_of(3))
    newer = from_rows([(b"image-000000.jpg", 0, 7), (b"image-000001.jpg", 1, 8), (b"image-000002.jpg", 2, 7)])
    difference = compare(seen(newer), known(first), folder_of(3))
    assert isinstance(difference, Changed)
    assert difference.change.images.names == [b"image-000001.jpg"]
    assert not difference.change.added
    assert difference.change.entry.image_count == 3


def test_a_collection_whose_recording_was_cut_off_is_changed() -> None:
    half = Known(digest="", image_count=3, size_bytes=3, mtime_ns=0)
    difference = compare(seen(folder_of(3)), half, folder_of(1))
    assert isinstance(difference, Changed)
    assert difference.change.images.names == [b"image-000001.jpg", b"image-000002.jpg"]


def test_an_archive_with_a_new_time_is_recorded_even_if_its_images_are_the_same() -> None:
    older = Seen(collection_id=UUID(int=1), kind=ARCHIVE, path=b"a.cbz", images=folder_of(2), size_bytes=9, mtime_ns=1)
    newer = Seen(collection_id=UUID(int=1), kind=ARCHIVE, path=b"a.cbz", images=folder_of(2), size_bytes=9, mtime_ns=2)
    first = compare(older, None)
    assert isinstance(first, Changed)
    second = compare(newer, known(first.change), folder_of(2))
    assert isinstance(second, Changed)
    assert (second.change.entry.mtime_ns, len(second.change.images)) == (2, 0)


def test_names_that_are_not_utf8_keep_their_bytes() -> None:
    images = from_rows([(b"caf\xe9.jpg", 1, 2), ("café.jpg".encode(), 3, 4)])
    assert from_entries(images.entries(0, 2)) == images
    assert change(images, b"\xff").entry.path_bytes == b"\xff"


def test_the_columns_of_an_image_take_less_than_100_bytes() -> None:
    images = folder_of(10_000)
    size = sum(name.__sizeof__() for name in images.names) + images.names.__sizeof__()
    size += images.sizes.__sizeof__() + images.mtimes.__sizeof__()
    assert size / 10_000 < 100
