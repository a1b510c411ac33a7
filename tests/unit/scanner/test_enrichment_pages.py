"""What was found, cut into events."""

from uuid import UUID

import msgspec
from msgspec.structs import replace

from linstock.messages.enrichment import EnrichedCollection, ImageFact
from services.scanner.enrichment.pages import cut, entries, pages

LIMIT = 4096


def found(number: int, images: int) -> EnrichedCollection:
    facts = tuple(ImageFact(f"{each:06}.jpg", 1, each, width=2, height=3) for each in range(images))
    return EnrichedCollection(
        collection_id=UUID(int=number), digest="d", mtime_ns=7, images=facts, image_count=images, no_cover="too_large"
    )


def test_small_ones_share_a_page() -> None:
    collections = [found(number, 2) for number in range(3)]
    assert list(pages(collections)) == [tuple(collections)]


def test_no_page_is_too_large_and_nothing_is_lost() -> None:
    collections = [found(1, 5), found(2, 400), found(3, 0)]
    made = list(pages(collections, LIMIT))
    assert all(len(msgspec.json.encode(page)) <= LIMIT for page in made)
    of_page = [entry for page in made for entry in page]
    for collection in collections:
        parts = [entry for entry in of_page if entry.collection_id == collection.collection_id]
        assert tuple(image for part in parts for image in part.images) == collection.images
        assert [part.digest for part in parts] == [""] * (len(parts) - 1) + ["d"]
        assert replace(parts[-1], images=()) == replace(collection, images=())


def test_each_part_of_a_collection_is_on_a_page_of_its_own_kind() -> None:
    *first, last = entries(found(1, 400), LIMIT)
    assert len(first) > 2
    assert {(part.image_count, part.no_cover, part.cover) for part in first} == {(0, "", None)}
    assert last.image_count == 400


def test_nothing_is_one_empty_part() -> None:
    assert cut((), LIMIT) == [()]
