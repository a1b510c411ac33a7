"""One sample of every event, the same on every machine: the 02:00 scan of one library, as far as a sample can tell it.

A field that has no value here stops `make contracts`: a sample stands for ever, so somebody has to think of it.
"""

from datetime import UTC, date, datetime, timedelta
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Raw, Struct

from linstock import names
from linstock.messages.answer import Answer

INSTANT = datetime(2026, 3, 30, 0, 0, tzinfo=UTC)  # 02:00 in Berlin
LIBRARY = names.derived_id("sample", "library")
SCHEDULE = names.schedule_of(LIBRARY)
RUN = names.job_of_tick(SCHEDULE, INSTANT.isoformat())
HELD_RUN = names.job_of_tick(SCHEDULE, (INSTANT - timedelta(days=1)).isoformat())

VALUES: dict[str, Any] = {
    "actor": "ann",
    "at": INSTANT + timedelta(seconds=42),
    "attempt": 1,
    "auto_scan": True,
    "before": INSTANT - timedelta(days=90),
    "busy": HELD_RUN,
    "calendar_id": names.calendar_of(names.DEFAULT_WORKSPACE, "holidays"),
    "code": "root_missing",
    "command": "CreateLibrary",
    "command_id": names.derived_id("sample", "command"),
    "collection_id": names.derived_id("sample", "collection"),
    "collections": names.derived_id("sample", "collection"),
    "count": 3,
    "cursor": INSTANT - timedelta(days=1),
    "days": 90,
    "deadline": INSTANT + timedelta(hours=1),
    "description": "Everything since 1998",
    "device": "nas-417/sda",
    "digest": "c1d29e24c2f94ce7e1b1dcb9b0ad1a3f",
    "due": INSTANT + timedelta(seconds=52),
    "dry_run": True,
    "duration_ms": 41_300,
    "enabled": True,
    "expected": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "expression": "0 2 * * *",
    "file_system": "c4f1a2b3d4e5f607:2",
    "final": True,
    "first": INSTANT - timedelta(days=3),
    "flawed": 1,
    "from_collection_id": names.derived_id("sample", "another collection"),
    "from_library_id": names.derived_id("sample", "another library"),
    "from_path": "Rügen",
    "to_library_id": names.derived_id("sample", "another library"),
    "forgotten": "neu.jpg",
    "found": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "hashed_at": INSTANT - timedelta(days=30),
    "height": 3024,
    "held": 0,
    "held_scan_id": HELD_RUN,
    "image_count": 2,
    "images": 2,
    "images_before": 0,
    "size_bytes_before": 0,
    "instant": INSTANT,
    "instants": INSTANT - timedelta(days=1),
    "job_id": RUN,
    "job_type": "MakeThumbnails",
    "key": "MakeThumbnails:pictures",
    "kind": "folder",
    "last": INSTANT - timedelta(days=1),
    "lease": names.derived_id("sample", "lease"),
    "library_id": LIBRARY,
    "library_name": "Pictures",
    "library_path": "/data/pictures",
    "library_version": 1,
    "limit": 2,
    "message": "There is no folder at /data/pictures",
    "missed_count": 0,
    "missing_since": INSTANT - timedelta(days=2),
    "missing_by": HELD_RUN,
    "mtime_ns": 1_774_828_800_123_456_789,
    "missing_before": INSTANT - timedelta(days=90),
    "name": "Pictures",
    "names": "strand.jpg",
    "next_attempt": 2,
    "no_cover": "",
    "outcome": "done",
    "page": 1,
    "path": "/data/pictures",
    "purge_id": names.derived_id("sample", "purge"),
    "purge_missing_after_days": 365,
    "to_collection_id": names.derived_id("sample", "another collection"),
    "to_name": "meer.jpg",
    "parent": names.derived_id("sample", "parent job"),
    "never_on": "ValueError",
    "not_before": INSTANT + timedelta(minutes=10),
    "retry_of": HELD_RUN,
    "retry_on": "ConnectionError",
    "unique_key": "MakeThumbnails:pictures",
    "until": INSTANT + timedelta(hours=1),
    "previous_path": "/data/old-pictures",
    "queue": "thumbnails",
    "reason": "library deleted",
    "recorded_at": INSTANT - timedelta(days=3),
    "recorded_by": HELD_RUN,
    "replaces": HELD_RUN,
    "request_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "requested_at": INSTANT,
    "resume_at": INSTANT + timedelta(hours=6),
    "root": "/data/pictures",
    "scan_id": RUN,
    "schedule_id": SCHEDULE,
    "size_bytes": 5_242_880,
    "time_zone": "Europe/Berlin",
    "triggered_by": "Scheduler",
    "tzdata": "2026a",
    "unenriched": 1,
    "verdict": "fired",
    "version": 1,
    "watch": True,
    "width": 4032,
    "worker": "library-scan-nas-417-0d9f3a",
    "zone": "Europe/Berlin",
}
# Where the same word means something else.
OF: dict[tuple[str, str], Any] = {
    ("AbsentFile", "name"): "leer.jpg",
    ("CalendarChanged", "days"): (date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)),
    ("CalendarChanged", "description"): "Public holidays in Berlin",
    ("CalendarChanged", "name"): "holidays",
    ("CalendarDefined", "days"): (date(2026, 12, 25), date(2026, 12, 26)),
    ("CalendarDefined", "description"): "Public holidays in Berlin",
    ("CalendarDefined", "name"): "holidays",
    ("CalendarDeleted", "name"): "holidays",
    ("CollectionEntry", "name"): "Rügen",
    ("CollectionEntry", "path"): "2025/Rügen",
    ("CollectionsRecorded", "added"): 1,
    ("CommandHandled", "answer"): Raw(msgspec.json.encode(Answer(status=201, id=LIBRARY, position="library:12"))),
    ("Cover", "name"): "strand.jpg",
    ("FileEntry", "name"): "strand.jpg",
    ("HashedFile", "name"): "strand.jpg",
    ("ImageFact", "name"): "strand.jpg",
    ("JobRequested", "payload"): Raw(b'{"width":320}'),
    ("JobCheckpointed", "data"): Raw(b'{"done":240}'),
    ("JobRequested", "name"): "Make thumbnails",
    ("JobSnoozed", "reason"): "the disk is busy",
    ("JobPaused", "reason"): "Film night",
    ("JobResumed", "reason"): "The film is over",
    ("JobResumed", "attempt"): 2,
    ("JobRetryScheduled", "code"): "lease_lost",
    ("JobRetryScheduled", "message"): "No sign of life from the worker",
    ("JobSucceeded", "result"): Raw(b'{"added":1}'),
    ("OutcomeIgnored", "outcome"): "succeeded",
    ("RemovalsHeld", "message"): "The library's folder is empty; 3 collections were known.",
    ("QuarantinedFile", "code"): "corrupt",
    ("QuarantinedFile", "message"): "image file is truncated (12 bytes not processed)",
    ("QuarantinedFile", "name"): "leer.jpg",
    ("RemovalsHeld", "reason"): "empty_root",
    ("PreviewedChange", "collection_kind"): "folder",
    ("PreviewedChange", "kind"): "added",
    ("PreviewedChange", "path"): "2025/Rügen",
    ("PreviewedChange", "path_before"): None,
    ("ReportItem", "code"): "broken_archive",
    ("ReportItem", "message"): "no central directory",
    ("ReportItem", "path"): "2024/holiday.zip",
    ("RottenFile", "name"): "strand.jpg",
    ("ScanCompleted", "held"): 0,
    ("ScanPath", "path"): "2025/Rügen",
    ("ScanRequested", "queue"): names.SCAN_QUEUE,
    ("ScanUndone", "changed"): 1,
    ("ScanUndone", "left_alone"): 0,
    ("ScanUndone", "missing"): 0,
    ("ScanUndone", "restored"): 1,
    ("ScanUndone", "withdrawn"): 2,
    ("ScheduleDefined", "description"): "Automatic scan for library: Pictures",
    ("ScheduleDefined", "name"): "Library Scan - Pictures",
    ("ScheduleChanged", "description"): "Automatic scan for library: Pictures",
    ("ScheduleChanged", "name"): "Library Scan - Pictures",
    ("ScheduleChanged", "version"): 2,
    ("SchedulePaused", "reason"): "The disk is being exchanged",
    ("TicksSkipped", "reason"): "overlap",
    ("Timing", "days"): "and",
} | {
    ("Counts", name): count
    for name, count in {
        "collections": 12, "images": 480, "size_bytes": 1_258_291_200, "folders": 15, "files": 497, "added": 1,
        "changed": 0, "unchanged": 11, "absent": 0, "errors": 1,
        "missing": 0, "restored": 0, "moved": 0, "verified": 0, "rotten": 0, "moved_images": 0,
    }.items()
}  # fmt: skip


def sample_of(kind: Any, field: str = "", of: str = "") -> Any:
    """A value of this type. Raises KeyError for a plain field that has none."""
    origin, arguments = get_origin(kind), get_args(kind)
    if (of, field) in OF:
        return OF[of, field]
    if origin in (Union, UnionType):
        return sample_of(arguments[0], field, of)
    if origin is tuple:
        return (sample_of(arguments[0], field, of),)
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind)
        fields = msgspec.structs.fields(kind)
        return kind(**{each.name: _value(each, hints[each.name], kind.__name__) for each in fields})
    value = VALUES[field]
    assert type(value) is kind, (of, field, kind)
    return value


def _value(field: msgspec.structs.FieldInfo, kind: Any, of: str) -> Any:
    if field.name.endswith("_bytes") and bytes in get_args(kind):
        return () if get_origin(kind) is tuple else None  # only there when a name is not UTF-8
    defaulted = field.default is not NODEFAULT and bool(field.default)
    return field.default if defaulted and field.name not in VALUES else sample_of(kind, field.name, of)
