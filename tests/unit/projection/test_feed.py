"""The feed's rows: every event, whose library it is about, and how much of it is carried."""

from datetime import timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock import names
from linstock.messages.job import JobEvent, JobRequested, ScanRequested
from linstock.messages.library import LibraryCreated, Settings
from linstock.messages.message import Message
from linstock.messages.retention import RetentionApplied
from linstock.messages.schedule import ScheduleEvent
from services.projection.fact import fact_of
from services.projection.views import jobs, schedules
from services.projection.views.feed import CARRIED_BYTES, Event, Hour
from tests.support.recorded import NOON, RecordedLog
from tests.support.story import Story
from tests.unit.projection.test_folds import SEED, rows_of

SAMPLES = Path(__file__).parents[3] / "contracts" / "samples"
NOON_HOUR = int(NOON.timestamp()) // 3600


def feed_of(*logs: RecordedLog) -> list[Event]:
    told = rows_of([log.deliveries for log in logs])["events"].values()
    return [row for row in told if isinstance(row, Event)]


def created(library_id: UUID, description: str = "") -> LibraryCreated:
    return LibraryCreated(library_id=library_id, settings=Settings(name="x", path="/x", description=description))


def test_every_event_is_one_row_with_all_that_its_envelope_says() -> None:
    story = Story(seed=SEED).created().scanned(1, "a").paused().deleted()
    rows = feed_of(*story.logs())
    assert len(rows) == sum(len(log.deliveries) for log in story.logs())
    recorded = story.library.deliveries[0].recorded
    assert rows[0] == Event(
        workspace="default", log="library", position=2, event_id=recorded.event_id, type="linstock.library.created.v1",
        at=NOON, actor="test", aggregate="library", aggregate_id=story.library_id, version=1,
        library_id=story.library_id, correlation_id=recorded.correlation_id, causation_id=None,
        data=bytes(recorded.data).decode(), data_bytes=len(bytes(recorded.data)),
    )  # fmt: skip


def test_whatever_is_about_a_library_says_so_but_its_receipts() -> None:
    story = Story(seed=SEED).created().scanned(1, "a").requested(2).started(2).retried(2).ignored(2).paused().deleted()
    silent = {row.type for row in feed_of(*story.logs()) if row.library_id != story.library_id}
    assert silent == {"linstock.command.handled.v1"}


@pytest.mark.parametrize("kind", get_args(JobEvent) + get_args(ScheduleEvent))
def test_what_the_feed_looks_up_is_read_whatever_the_event(kind: type[Message]) -> None:
    """What is looked up and not read is found when an earlier event of the same batch put it there, and only then."""
    sample = (SAMPLES / f"{kind.__struct_config__.tag}.json").read_bytes()
    event = msgspec.json.decode(sample, type=kind)
    aggregate_id = getattr(event, "job_id" if kind in get_args(JobEvent) else "schedule_id")
    [delivered] = RecordedLog(names.SCHEDULER).says(aggregate_id, event).deliveries
    fact = fact_of(delivered)
    read = {*jobs.reads(fact), *schedules.reads(fact)}
    assert aggregate_id in read or kind in (ScanRequested, JobRequested), "a request is its job's first event"


def test_what_a_row_says_of_the_library_comes_from_its_own_log() -> None:
    """A receipt of another log that bears a job's id: the job is the scheduler's to tell."""
    story = Story(seed=SEED).created().requested(1)
    foreign = RecordedLog(names.SCANNER).says(story.run(1), RetentionApplied(before=NOON, days=9))
    together = rows_of([[*story.scheduler.deliveries, *foreign.deliveries]])["events"].values()
    assert [row.library_id for row in together if isinstance(row, Event) and row.log == names.SCANNER] == [None]


def test_a_body_larger_than_the_feed_carries_is_left_out_and_its_size_told() -> None:
    log = RecordedLog(names.LIBRARY)
    empty = len(msgspec.json.encode(created(SEED)))
    log.says(SEED, created(SEED, "x" * (CARRIED_BYTES - empty)), created(SEED, "x" * (CARRIED_BYTES - empty + 1)))
    fits, too_large = feed_of(log)
    assert (fits.data_bytes, too_large.data_bytes) == (CARRIED_BYTES, CARRIED_BYTES + 1)
    assert fits.data is not None
    assert too_large.data is None


def test_the_hours_of_a_log_span_its_positions_also_when_its_clock_was_set_back() -> None:
    log = RecordedLog(names.LIBRARY, hole=1)
    log.says(uuid4(), *(created(uuid4()) for _ in range(4)))
    for index, hours in enumerate((0, 1, 0, 2)):
        moved = msgspec.structs.replace(log.deliveries[index].recorded, time=NOON + timedelta(hours=hours))
        log.deliveries[index] = msgspec.structs.replace(log.deliveries[index], recorded=moved)
    expected = {
        (NOON_HOUR, "library"): Hour(NOON_HOUR, "library", 2, 6),
        (NOON_HOUR + 1, "library"): Hour(NOON_HOUR + 1, "library", 4, 4),
        (NOON_HOUR + 2, "library"): Hour(NOON_HOUR + 2, "library", 8, 8),
    }
    assert rows_of([log.deliveries])["event_hours"] == expected
    assert rows_of([[delivered] for delivered in log.deliveries])["event_hours"] == expected
