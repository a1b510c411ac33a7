"""Instants that were made up for because somebody asked: what the ledger adds to their verdicts, if they have one. From
the scheduler log. An instant is backfilled at most once."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock import names
from linstock.messages.schedule import ScheduleBackfilled
from services.projection.fact import Fact
from services.projection.rows import Rows


class Backfill(Struct, frozen=True):
    schedule_id: UUID
    instant: datetime
    workspace: str
    job_id: UUID
    version: int
    backfilled_at: datetime
    backfilled_by: str


def rows() -> Rows[Backfill]:
    return Rows("backfills", Backfill, key=("schedule_id", "instant"))


def fold(backfills: Rows[Backfill], fact: Fact) -> None:
    match fact.event:
        case ScheduleBackfilled() as event:
            for instant in event.instants:
                backfills.put(
                    Backfill(
                        schedule_id=event.schedule_id,
                        instant=instant,
                        workspace=fact.workspace,
                        job_id=names.job_of_tick(event.schedule_id, instant.isoformat()),
                        version=event.version,
                        backfilled_at=fact.time,
                        backfilled_by=fact.actor,
                    )
                )
        case _:
            return
