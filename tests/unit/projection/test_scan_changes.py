"""What each scan changed, folded from the catalogue's pages."""

from typing import cast
from uuid import UUID

from msgspec.structs import replace

from linstock.messages.catalogue import CollectionsRecorded
from services.projection.fact import fact_of
from services.projection.views.scan_changes import ScanChange
from tests.support.story import Story
from tests.unit.projection.test_folds import rows_of

SEED = UUID(int=7)
Told = tuple[str, str, int, int]


def changes(story: Story, run: int, *, size: int = 1000) -> list[Told]:
    """Kind, path and images before and after, in the order of the log; told in batches of `size`."""
    deliveries = story.deliveries()
    batches = [deliveries[at : at + size] for at in range(0, len(deliveries), size)]
    rows = cast("list[ScanChange]", list(rows_of(batches)["scan_changes"].values()))
    of_run = sorted((row for row in rows if row.scan_id == story.run(run)), key=lambda row: row.ordinal)
    return [(row.kind, row.path, row.images_before, row.images) for row in of_run]


def test_a_scan_adds_and_a_later_one_changes() -> None:
    story = Story(seed=SEED).created().scanned(1, "b", "a")
    story.requested(2).started(2).page(2, "a", images=5).page(2, "c").seen(2)
    assert changes(story, 1) == [("added", "b", 0, 2), ("added", "a", 0, 2)]
    assert changes(story, 2) == [("changed", "a", 2, 5), ("added", "c", 0, 2)]


def test_a_collection_of_several_pages_is_one_change_however_they_are_batched() -> None:
    story = Story(seed=SEED).created().scanned(1, "a").requested(2).started(2)
    partly = cast("CollectionsRecorded", fact_of(story.page(2, "a", images=900).scanner.deliveries[-1]).event)
    unfinished = replace(partly, collections=(replace(partly.collections[0], digest=""),))
    story.scanner.says(story.library_id, unfinished)
    story.page(2, "a", images=900).seen(2)
    for size in (1, 2, 1000):
        assert changes(story, 2, size=size) == [("changed", "a", 2, 900)]


def test_a_retry_goes_on_where_the_attempt_before_it_ended() -> None:
    story = Story(seed=SEED).created().requested(1).started(1).page(1, "a").retried(1).started(1, attempt=2)
    story.page(1, "a", "b", attempt=2, images=3).seen(1, attempt=2)
    for size in (1, 1000):
        assert changes(story, 1, size=size) == [("added", "a", 0, 3), ("added", "b", 0, 3)]


def test_a_dry_run_leaves_the_collections_alone() -> None:
    story = Story(seed=SEED).created().scanned(1, "a")
    before = rows_of([story.deliveries()])
    story.requested(2, dry_run=True).previewed(2, "b").seen(2)
    after = rows_of([story.deliveries()])
    for table in ("collections", "contents", "files", "content_days"):
        assert after[table] == before[table]
    assert changes(story, 2) == [("added", "b", 0, 2)]


def test_images_that_left_and_images_that_are_missing_are_one_change_however_they_are_batched() -> None:
    story = Story(seed=SEED).created().scanned(1, "a", "b").requested(2).started(2)
    story.images_left(2, "a", 1)
    gone = replace(story.gone(["a"], 2)[0], image_count=0, size_bytes=0)
    story.marked_missing(2, files=(gone,)).seen(2)
    for size in (1, 2, 1000):
        assert changes(story, 2, size=size) == [("changed", "a", 2, 0)]


def test_what_goes_missing_and_comes_back() -> None:
    story = Story(seed=SEED).created().scanned(1, "a", "b")
    story.requested(2).started(2).marked_missing(2, "a").seen(2)
    story.requested(3).started(3).restored(3, "a").seen(3)
    for size in (1, 1000):
        assert changes(story, 2, size=size) == [("missing", "a", 2, 0)]
        assert changes(story, 3, size=size) == [("restored", "a", 0, 2)]
