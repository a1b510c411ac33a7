"""What was read of images: shown while their bytes are the same, counted, and the same however events were batched."""

import msgspec
import pytest

from linstock import names
from services.projection.fact import fact_of
from services.projection.views.covers import Cover
from services.projection.views.files import Chunk, HeldFile
from services.projection.views.quarantine import HELD, RELEASED, Quarantined
from services.projection.views.read_counts import ReadCount
from tests.support.folded import Folded
from tests.support.story import Story


class Stored(Folded):
    def files(self, story: Story, name: str) -> dict[str, tuple[int | None, int | None]]:
        chunks: list[Chunk] = [
            chunk for chunk in self.rows["files"].values() if chunk.collection_id == story.collection(name)
        ]
        held = [file for chunk in chunks for file in msgspec.json.decode(chunk.files, type=list[HeldFile])]
        return {file.name: (file.width, file.height) for file in held}

    def quarantine(self) -> dict[str, str]:
        rows: list[Quarantined] = list(self.rows.get("quarantine", {}).values())
        return {row.name: row.state for row in rows}

    def counts(self, story: Story) -> ReadCount:
        amounts = self.sums.get("read_counts", {}).get((story.library_id, "default"), [0, 0, 0])
        return ReadCount(story.library_id, "default", *amounts)


@pytest.fixture(params=[1, 2, 100], ids=["one by one", "in twos", "at once"])
def size(request: pytest.FixtureRequest) -> int:
    batch: int = request.param
    return batch


def stored(story: Story, size: int) -> Stored:
    facts = [fact_of(delivered) for delivered in story.deliveries()]
    made = Stored()
    for start in range(0, len(facts), size):
        made.apply(facts[start : start + size])
    return made


def counted(story: Story, collections: int, covers: int, quarantined: int) -> ReadCount:
    return ReadCount(story.library_id, "default", collections, covers, quarantined)


def test_images_have_their_sizes_and_the_collection_its_cover(size: int) -> None:
    story = Story().created().scanned(1, "a", "b").enriched(1, "a")
    found = stored(story, size)
    assert found.files(story, "a") == {"0.jpg": (800, 600), "1.jpg": (800, 600)}
    assert found.files(story, "b") == {"0.jpg": (None, None), "1.jpg": (None, None)}
    cover: Cover = found.rows["covers"][(story.collection("a"),)]
    assert (cover.hash, cover.width, cover.height, cover.valid) == ("0" * 64, 800, 600, 2)
    assert found.counts(story) == counted(story, 1, 1, 0)


def test_a_size_is_forgotten_when_the_bytes_change(size: int) -> None:
    story = Story().created().scanned(1, "a").enriched(1, "a").requested(2).started(2)
    grown = stored(story.page(2, "a", images=3, newer_ns=1), size)
    assert grown.files(story, "a") == {"0.jpg": (None, None), "1.jpg": (None, None), "2.jpg": (None, None)}


def test_a_size_stays_while_the_bytes_are_the_same(size: int) -> None:
    story = Story().created().scanned(1, "a").enriched(1, "a").requested(2).started(2)
    again = stored(story.page(2, "a", images=3), size)
    assert again.files(story, "a") == {"0.jpg": (800, 600), "1.jpg": (800, 600), "2.jpg": (None, None)}


def test_what_is_said_of_other_bytes_is_passed_over(size: int) -> None:
    story = Story().created().scanned(1, "a").quarantined(1, "a", 1, size_bytes=999)
    assert stored(story, size).files(story, "a") == {"0.jpg": (None, None), "1.jpg": (None, None)}


def test_what_is_said_of_a_collection_that_nobody_knows_is_kept_apart(size: int) -> None:
    story = Story().created().enriched(1, "nowhere").quarantined(1, "nowhere", 1)
    found = stored(story, size)
    assert "files" not in found.rows
    assert found.counts(story) == counted(story, 1, 1, 1)


def test_quarantine_ends_when_a_file_is_read_after_all(size: int) -> None:
    story = Story().created().scanned(1, "a").quarantined(1, "a", 0, 1).enriched(1, "a", cover=None)
    found = stored(story, size)
    assert found.quarantine() == {"0.jpg": RELEASED, "1.jpg": RELEASED}
    assert found.counts(story) == counted(story, 1, 0, 0)


def test_quarantine_lasts_and_is_told_twice_for_nothing(size: int) -> None:
    story = Story().created().scanned(1, "a").quarantined(1, "a", 1).quarantined(2, "a", 1)
    found = stored(story, size)
    [row] = found.rows["quarantine"].values()
    assert (row.state, row.since) == (HELD, story.moment(1, 1))
    assert found.counts(story) == counted(story, 0, 0, 1)
    assert found.files(story, "a")["1.jpg"] == (0, 0)


def test_quarantine_ends_when_the_bytes_change(size: int) -> None:
    story = Story().created().scanned(1, "a").quarantined(1, "a", 1, size_bytes=999).requested(2).started(2)
    found = stored(story.page(2, "a"), size)
    assert found.quarantine() == {"1.jpg": RELEASED}
    assert found.counts(story) == counted(story, 0, 0, 0)


def test_a_cover_that_is_lost_and_found_is_counted_once(size: int) -> None:
    story = (
        Story().created().scanned(1, "a").enriched(1, "a").enriched(2, "a", cover=None).enriched(3, "a", cover="1" * 64)
    )
    assert stored(story, size).counts(story) == counted(story, 1, 1, 0)


def test_what_follows_a_scan_is_numbered_and_counted_apart(size: int) -> None:
    story = Story().created().scanned(1, "a").enriching(1).enriching(2)
    found = stored(story, size)
    runs = {scope: row.run_count for (scope,), row in found.rows["run_totals"].items()}
    library, schedule = story.library_id, names.schedule_of(story.library_id)
    assert runs == {
        "default": 1,
        f"default/{library}": 1,
        f"default/{schedule}": 1,
        "default/Enrich": 2,
        f"default/Enrich/{library}": 2,
    }
    jobs = [row for row in found.rows["jobs"].values() if row.job_type == "Enrich"]
    assert [(row.library_id, row.ordinal, row.library_ordinal, row.status) for row in jobs] == [
        (library, 1, 1, "Completed"),
        (library, 2, 2, "Completed"),
    ]
