"""Whether every instant of a schedule that recurs within seconds has one verdict."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from linstock import names
from linstock.eventlog.record import Recorded
from linstock.messages.job import ScanRequested
from linstock.messages.schedule import ScheduleDefined, TickFired, TicksSkipped
from tests.faults.history import History, decoded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OVERLAP, MISFIRE = "overlap", "misfire"


@dataclass
class Ticks:
    """Of one schedule: every instant between its first and last decided one has one verdict."""

    fired: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    doubled: int = 0
    early: int = 0
    unexplained: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    longest_pause_s: float = 0.0


def ticks(history: History, schedule_id: UUID, *, period: timedelta = SECOND, until: datetime | None = None) -> Ticks:
    """Counts from the instant at which the schedule was defined; it must not be changed or disabled in between.
    Instants are multiples of `period` since 1970. Up to `until` all must be decided; None: up to the last that is."""
    found, decided = Ticks(), Counter[datetime]()
    requested: set[UUID] = set()
    recorded_at: list[datetime] = []
    defined_at: datetime | None = None
    for record in history.log.get(names.SCHEDULER, []):
        event = decoded(record)
        if isinstance(event, ScanRequested):
            requested.add(event.job_id)
        if record.aggregate_id != schedule_id:
            continue
        if isinstance(event, ScheduleDefined):
            defined_at = event.cursor
        elif isinstance(event, TickFired | TicksSkipped):
            recorded_at.append(record.time)
            decided.update(_decided(event, period))
            _count(found, event, record, requested, period)
    found.doubled = sum(count - 1 for count in decided.values())
    found.missing = _missing(decided, defined_at, period, until)
    found.early += _ahead_of_nats(history, schedule_id)
    found.longest_pause_s = max(
        ((later - earlier).total_seconds() for earlier, later in pairwise(recorded_at)), default=0.0
    )
    return found


def _decided(event: TickFired | TicksSkipped, period: timedelta) -> list[datetime]:
    if isinstance(event, TickFired):
        return [event.instant]
    return [event.first + period * number for number in range((event.last - event.first) // period + 1)]


def _count(
    found: Ticks, event: TickFired | TicksSkipped, record: Recorded, requested: set[UUID], period: timedelta
) -> None:
    instants = _decided(event, period)
    found.early += record.time < instants[-1]
    if isinstance(event, TickFired):
        found.fired += 1
        found.verdicts[event.verdict] += 1
        return
    found.skipped[event.reason] += len(instants)
    known = event.reason == MISFIRE if event.busy is None else event.reason == OVERLAP and event.busy in requested
    found.unexplained += event.count != len(instants) or event.last != instants[-1] or not known


def _missing(decided: Counter[datetime], defined_at: datetime | None, period: timedelta, until: datetime | None) -> int:
    if not decided:
        return 0 if until is None else 1
    first = min(decided) if defined_at is None else defined_at - (defined_at - EPOCH) % period + period
    last = max(decided) if until is None else max(until - (until - EPOCH) % period, *decided)
    return (last - first) // period + 1 - len(decided)


def _ahead_of_nats(history: History, schedule_id: UUID) -> int:
    """A second clock: the NATS server's, when it stored the tick."""
    early = 0
    for each in history.stream:
        record = each.delivered.recorded
        if record.aggregate_id == schedule_id and isinstance(event := decoded(record), TickFired):
            early += each.stored_at < event.instant
    return early
