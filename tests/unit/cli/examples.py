"""Things of the API as it answers them."""

from typing import Any
from uuid import UUID

LIBRARY_ID = "10e73985-7e1a-5d22-ac6f-93051169ee5a"
OTHER_ID = "10e7aaaa-7e1a-5d22-ac6f-93051169ee5b"
SCHEDULE_ID = "9ce93cfc-6f71-5756-8b23-3d795296e758"
RUN_ID = "31e31418-9ce5-5a8e-8f15-0a1c8e4f7a11"
EVENT_ID = "0c5f4f3e-8f0e-5d3b-9d1c-0f3c5a1d2b7e"
NOTHING_ID = str(UUID(int=0))


def library(
    identity: str = LIBRARY_ID, name: str = "Holidays", path: str = "/srv/holidays", **more: Any
) -> dict[str, Any]:
    return {
        "id": identity, "name": name, "path": path, "description": "", "autoScan": True,
        "cronExpression": "0 2 * * *", "timeZone": "Europe/Berlin", "includeSubfolders": True, "excludePatterns": [],
        "extensions": [".jpg"], "createdAt": "2026-11-23T07:03:25Z", "updatedAt": "2026-11-23T07:03:25Z", "version": 1,
        "guard": {"maxRemovedPercent": 10, "maxRemoved": 100, "minAlways": 3}, "heldRemovals": None, **more,
    }  # fmt: skip


def schedule(name: str = "Library Scan - Holidays", *, enabled: bool = True) -> dict[str, Any]:
    return {
        "id": SCHEDULE_ID, "name": name, "description": "", "jobType": "LibraryScan", "scheduleType": "Cron",
        "cronExpression": "0 2 * * *", "timeZone": "Europe/Berlin", "days": "and", "isEnabled": enabled, "runCount": 7,
        "parameters": {"LibraryId": LIBRARY_ID}, "lastRunAt": None, "nextRunAt": "2026-11-24T01:00:00Z",
        "lastRunDuration": None, "lastRunStatus": None, "successCount": 6, "failureCount": 1,
        "lastErrorMessage": "The disk was away.", "priority": 5, "timeoutMinutes": 60, "maxRetryAttempts": 3,
    }  # fmt: skip


def calendar(*days: str, name: str = "holidays", used_by: int = 0) -> dict[str, Any]:
    return {
        "id": NOTHING_ID, "name": name, "description": "Public", "days": list(days), "dayCount": len(days),
        "firstDay": days[0] if days else None, "lastDay": days[-1] if days else None, "usedBy": used_by, "version": 3,
        "createdAt": "2026-11-23T07:03:25Z", "createdBy": "ann", "updatedAt": "2026-11-23T07:03:25Z",
        "updatedBy": "ben",
    }  # fmt: skip


def run(status: str = "Completed", **more: Any) -> dict[str, Any]:
    return {
        "id": RUN_ID, "scheduledJobId": SCHEDULE_ID, "scheduledJobName": "Library Scan - Holidays",
        "jobType": "LibraryScan", "status": status, "attempt": 1, "requestedAt": "2026-11-23T07:03:25Z",
        "startedAt": None, "completedAt": None, "duration": None, "errorMessage": None, "result": None,
        "triggeredBy": "Manual", **more,
    }  # fmt: skip


def scan(status: str = "Completed", **more: Any) -> dict[str, Any]:
    counts = {"collections": 3, "images": 40, "sizeBytes": 4_200_000, "folders": 5, "files": 44, "added": 1,
              "changed": 0, "unchanged": 2, "absent": 0, "errors": 1}  # fmt: skip
    return {
        "id": RUN_ID, "libraryId": LIBRARY_ID, "libraryName": "Holidays", "status": status, "removals": "none",
        "held": 0, "counts": counts if status == "Completed" else None, "report": None, "attempt": 1,
        "triggeredBy": "Manual", "requestedAt": "2026-11-23T07:03:25Z", "duration": 1234, "errorMessage": None, **more,
    }  # fmt: skip


def event(position: int = 12) -> dict[str, Any]:
    identity = EVENT_ID if position == 12 else str(UUID(int=position))
    return {
        "id": identity, "type": "linstock.library.created.v1", "log": "library", "position": position,
        "time": "2026-11-23T07:03:25Z", "workspace": "default", "actor": "anonymous@loopback", "aggregate": "library",
        "aggregateId": LIBRARY_ID, "version": 1, "data": {"settings": {"name": "Holidays"}},
    }  # fmt: skip


def tick(instant: str = "2026-11-22T01:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "instant": instant, "first": instant, "last": instant, "count": 1, "verdict": "fired", "reason": None,
        "explanation": "It fired at its time.", "moved": False, "missedCount": 0, "decidedAt": instant,
        "runId": RUN_ID, "runStatus": "Completed", "busyRunId": None, "calendar": None, "version": 1,
        "cronExpression": "0 2 * * *", "timeZone": "Europe/Berlin", "tzdata": "2026a", **more,
    }  # fmt: skip


def version(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "version": number, "edition": number, "name": "Library Scan - Holidays", "cronExpression": "0 2 * * *",
        "timeZone": "Europe/Berlin", "since": "2026-11-20T07:03:25Z", "changedBy": "ann",
        "appliesAfter": "2026-11-20T07:03:25Z", "until": None, "deletedBy": None, "calendars": [], **more,
    }  # fmt: skip
