"""Jobs that keep house: once a day by themselves, and whenever somebody asks for one."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Raw

from linstock import names
from linstock.bus.inbox import CommandContext, Plan
from linstock.eventlog.record import Append
from linstock.messages.answer import Answer
from linstock.messages.job import JobRequested
from linstock.messages.maintenance import CLEAN_THUMBNAILS, CleanThumbnailsPayload, RequestCleaning
from linstock.messages.schedule import JobPolicy
from services.scheduler.known import JOB

POLICY = JobPolicy(priority=1, timeout_s=3600, max_retries=3)


def cleaning(job_id: UUID, *, dry_run: bool, triggered_by: str, at: datetime) -> JobRequested:
    return JobRequested(
        job_id=job_id,
        job_type=CLEAN_THUMBNAILS,
        queue=names.MAINTENANCE_QUEUE,
        payload=Raw(msgspec.json.encode(CleanThumbnailsPayload(dry_run=dry_run))),
        policy=POLICY,
        requested_at=at,
        triggered_by=triggered_by,
    )


def of_day(day: date) -> UUID:
    """The id of the job that comes by itself on a day (UTC): whoever asks first, there is one."""
    return names.derived_id("clean-thumbnails", day.isoformat())


def asked_for(command: RequestCleaning, context: CommandContext) -> Plan:
    job_id = names.derived_id("job-of-command", context.command_id)
    request = cleaning(job_id, dry_run=command.dry_run, triggered_by="API", at=context.at)
    append = Append(aggregate=JOB.name, aggregate_id=job_id, expected_version=0, events=[request])
    return Plan(answer=Answer(status=202, id=job_id), appends=[append])
