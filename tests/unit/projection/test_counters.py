"""Counters say what counting the rows would."""

from collections import Counter
from datetime import date
from typing import Any

import msgspec
from hypothesis import given, settings

from services.projection.sums import Sums
from services.projection.views.collections import PRESENT
from services.projection.views.run_counts import SIZES, RunCount
from services.projection.views.run_days import RunDay
from tests.support.story import Story
from tests.unit.projection.test_folds import SEED, rows_of, stories


def rows(story: Story, table: str) -> list[Any]:
    return list(rows_of([story.deliveries()])[table].values())


@given(stories())
@settings(deadline=None)
def test_runs_are_numbered_without_holes_and_counted_by_block_status_and_trigger(story: Story) -> None:
    jobs = sorted(rows(story, "jobs"), key=lambda job: job.ordinal)
    every = list(range(1, len(jobs) + 1))
    assert [job.ordinal for job in jobs] == every
    assert [job.schedule_ordinal for job in jobs] == every
    assert [job.library_ordinal for job in jobs] == every
    expected = Counter((job.workspace, size, size, job.status, job.triggered_by) for job in jobs for size in SIZES)
    counted = {
        (count.scope, count.size, count.below, count.status, count.triggered_by): count.runs
        for count in rows(story, "run_counts")
        if count.scope == "default"
    }
    assert counted == expected


@given(stories())
@settings(deadline=None)
def test_contents_are_what_the_collections_add_up_to(story: Story) -> None:
    collections, contents = rows(story, "collections"), rows(story, "contents")
    assert sum(content.collections for content in contents) == len(collections)
    assert sum(content.images for content in contents) == sum(each.image_count for each in collections)
    days = rows(story, "content_days")
    assert sum(day.size_bytes for day in days) == sum(each.size_bytes for each in collections if each.state == PRESENT)


def test_what_is_missing_is_counted_apart_and_its_day_knows() -> None:
    story = Story(seed=SEED).created().requested(1).started(1).page(1, "a", "b", images=5)
    story.requested(2).started(2).marked_missing(2, "a")
    contents = {content.state: (content.collections, content.images) for content in rows(story, "contents")}
    assert contents == {"present": (1, 5), "missing": (1, 5)}
    days = {day.day: (day.collections, day.images) for day in rows(story, "content_days")}
    assert days == {date(2026, 3, 2): (2, 10), date(2026, 3, 3): (-1, -5)}
    story.restored(2, "a")
    assert [content.collections for content in rows(story, "contents")] == [2]


def test_a_collection_that_changed_counts_once_with_its_difference_on_the_day() -> None:
    story = Story(seed=SEED).created().requested(1).started(1).page(1, "a", images=5)
    story.requested(2).started(2).page(2, "a", images=2)
    [content] = rows(story, "contents")
    assert (content.collections, content.images, content.size_bytes) == (1, 2, 2000)
    days = {day.day: (day.collections, day.images) for day in rows(story, "content_days")}
    assert days == {date(2026, 3, 2): (1, 5), date(2026, 3, 3): (0, -3)}


def test_verdicts_are_counted_on_the_day_they_came() -> None:
    story = Story(seed=SEED).created().scanned(1, "a").requested(2).started(2).failed(2)
    days = [day for day in rows(story, "run_days") if day.scope == "default"]
    assert days == [
        RunDay("default", date(2026, 3, 2), runs=1, successes=1, failures=0),
        RunDay("default", date(2026, 3, 3), runs=1, successes=0, failures=1),
    ]


def test_what_comes_to_nothing_is_no_row() -> None:
    sums = Sums("run_counts", RunCount, key=("scope", "size", "below", "status", "triggered_by"))
    key = ("default", 1024, 1024, "Pending", "API")
    sums.add(key, 1)
    sums.add(key, -1)
    sums.add((*key[:3], "Running", "API"), 2)
    assert [msgspec.structs.astuple(row) for row in sums.changed()] == [("default", 1024, 1024, "Running", "API", 2)]
