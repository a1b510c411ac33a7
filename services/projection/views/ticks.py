"""The ledger: a row for each instant that fired and for each range that was skipped. From the scheduler log."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from linstock.messages.schedule import TickFired, TicksSkipped
from services.projection.fact import Fact
from services.projection.rows import Added, Rows
from services.projection.views.schedules import Schedule

SKIPPED = "skipped"


class Tick(Struct, frozen=True, gc=False):
    """`instants` of them from `first` to `last`, both included; of what fired it is one. `ordinal` counts the rows of
    its schedule from 1. `calendar` names the one that excludes what was skipped."""

    schedule_id: UUID
    ordinal: int
    workspace: str
    first: datetime
    last: datetime
    instants: int
    verdict: str
    reason: str | None
    moved: bool
    missed_count: int
    job_id: UUID | None
    busy_id: UUID | None
    version: int
    tzdata: str
    decided_at: datetime
    calendar: str | None = None


def rows() -> Added[Tick]:
    return Added("ticks", Tick, key=("schedule_id", "ordinal"))


def fold(ticks: Added[Tick], schedules: Rows[Schedule], fact: Fact) -> None:
    """Numbers what it adds. A schedule that was never defined has no ticks."""
    match fact.event:
        case TickFired() | TicksSkipped() as event:
            known = schedules.get(event.schedule_id)
            if known is not None:
                ordinal = known.tick_count + 1
                schedules.put(replace(known, tick_count=ordinal))
                ticks.put(
                    _fired(event, ordinal, fact) if isinstance(event, TickFired) else _skipped(event, ordinal, fact)
                )
        case _:
            return


def _fired(event: TickFired, ordinal: int, fact: Fact) -> Tick:
    return Tick(
        schedule_id=event.schedule_id,
        ordinal=ordinal,
        workspace=fact.workspace,
        first=event.instant,
        last=event.instant,
        instants=1,
        verdict=event.verdict,
        reason=None,
        moved=event.moved,
        missed_count=event.missed_count,
        job_id=event.job_id,
        busy_id=None,
        version=event.version,
        tzdata=event.tzdata,
        decided_at=fact.time,
    )


def _skipped(event: TicksSkipped, ordinal: int, fact: Fact) -> Tick:
    return Tick(
        schedule_id=event.schedule_id,
        ordinal=ordinal,
        workspace=fact.workspace,
        first=event.first,
        last=event.last,
        instants=event.count,
        verdict=SKIPPED,
        reason=event.reason,
        moved=False,
        missed_count=0,
        job_id=None,
        busy_id=event.busy,
        version=event.version,
        tzdata=event.tzdata,
        decided_at=fact.time,
        calendar=event.calendar or None,
    )
