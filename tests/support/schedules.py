"""Schedules and jobs for tests, with every field that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Raw

from linstock import names
from linstock.messages.job import After, JobRequested, ScanRequested
from linstock.messages.library import Settings
from linstock.messages.rules import Timing
from linstock.messages.schedule import FollowLibrary, JobPolicy, ScanTarget, ScheduleDefined

LIBRARY = UUID("11111111-1111-4111-8111-111111111111")
SCHEDULE = names.schedule_of(LIBRARY)
JOB = UUID("22222222-2222-4222-8222-222222222222")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def settings(
    name: str = "Holidays", *, path: str = "/photos", cron: str = "0 2 * * *", zone: str = "UTC", auto_scan: bool = True
) -> Settings:
    return Settings(name=name, path=path, auto_scan=auto_scan, cron_expression=cron, time_zone=zone)


def follow(library_version: int, wanted: Settings, *, library_id: UUID = LIBRARY, at: datetime = NOON) -> FollowLibrary:
    return FollowLibrary(
        schedule_id=names.schedule_of(library_id),
        library_id=library_id,
        library_version=library_version,
        settings=wanted,
        at=at,
        tzdata="2026a",
    )


def target(library_id: UUID = LIBRARY, *, name: str = "Holidays", path: str = "/photos") -> ScanTarget:
    return ScanTarget(library_id=library_id, library_name=name, library_path=path)


def defined(
    *,
    library_id: UUID = LIBRARY,
    name: str = "Holidays",
    cron: str = "0 2 * * *",
    zone: str = "UTC",
    enabled: bool = True,
    cursor: datetime = NOON,
    policy: JobPolicy | None = None,
) -> ScheduleDefined:
    return ScheduleDefined(
        schedule_id=names.schedule_of(library_id),
        name=f"Library Scan - {name}",
        description=f"Automatic scan for library: {name}",
        timing=Timing(expression=cron, zone=zone),
        target=target(library_id, name=name),
        enabled=enabled,
        library_version=1,
        cursor=cursor,
        policy=policy or JobPolicy(),
        auto_scan_at=cursor,
        timing_at=cursor,
    )


def scan_requested(
    job_id: UUID = JOB,
    *,
    library_id: UUID = LIBRARY,
    at: datetime = NOON,
    instant: datetime | None = None,
    policy: JobPolicy | None = None,
) -> ScanRequested:
    return ScanRequested(
        job_id=job_id,
        schedule_id=names.schedule_of(library_id),
        instant=instant,
        triggered_by="Scheduler" if instant else "API",
        target=target(library_id),
        policy=policy or JobPolicy(),
        requested_at=at,
    )


def job_requested(
    job_id: UUID = JOB,
    *,
    queue: str = "default",
    at: datetime = NOON,
    policy: JobPolicy | None = None,
    after: tuple[After, ...] = (),
    not_before: datetime | None = None,
) -> JobRequested:
    return JobRequested(
        job_id=job_id,
        job_type="Invoice",
        queue=queue,
        payload=Raw(b"{}"),
        policy=policy or JobPolicy(),
        requested_at=at,
        triggered_by="API",
        after=after,
        not_before=not_before,
    )
