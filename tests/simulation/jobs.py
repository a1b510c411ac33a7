"""The jobs of a simulated year as the log tells of them, for the oracle."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from linstock.messages.job import JobCancelled, JobFailed, JobSucceeded, ScanRequested
from linstock.messages.schedule import ScheduleDefined, ScheduleEnabled, SchedulePaused, ScheduleResumed
from tests.simulation.evidence import Told

HEARD_LATER_S = 7_300.0  # as long as a replica hears nothing of others


@dataclass
class Run:
    schedule_id: UUID
    library_id: UUID
    batch: int
    asked_s: float
    position: int
    closed_s: float = float("inf")
    closed_at: int = 2**62
    how: str = ""


class Jobs:
    """All of them; questions are about the moment of an event."""

    def __init__(self, log: list[Told]) -> None:
        self._runs: dict[UUID, Run] = {}
        self._library_of: dict[UUID, UUID] = {}
        self._of_schedule: dict[UUID, list[Run]] = defaultdict(list)
        self._anew: dict[UUID, list[int]] = defaultdict(list)
        for told in log:
            self._note(told)

    def _note(self, told: Told) -> None:
        position = told.record.position
        match told.event:
            case ScanRequested(job_id=job_id, schedule_id=schedule_id, target=target):
                run = Run(schedule_id, target.library_id, told.batch, told.at_s, position)
                self._runs[job_id] = run
                self._of_schedule[schedule_id].append(run)
            case ScheduleDefined(schedule_id=schedule_id, target=target):
                self._library_of[schedule_id] = target.library_id
            case JobSucceeded() | JobFailed() | JobCancelled() as event:
                run = self._runs[event.job_id]
                run.closed_s, run.closed_at, run.how = told.at_s, position, type(event).__name__
            case SchedulePaused() | ScheduleResumed() | ScheduleEnabled() as event:
                self._anew[event.schedule_id].append(position)
            case _:
                pass

    def requested_with(self, job_id: UUID, told: Told) -> bool:
        """In the same insert as the tick."""
        run = self._runs.get(job_id)
        return run is not None and run.batch == told.batch

    def surely_open(self, told: Told) -> bool:
        """One of the schedule's own, which everybody knew who knew the schedule: asked for earlier and still open."""
        position = told.record.position
        return any(
            run.batch != told.batch and run.position < position < run.closed_at
            for run in self._of_schedule[told.record.aggregate_id][-200:]
        )

    def may_be_open(self, job_id: UUID | None, told: Told) -> bool:
        """As far as somebody knew who had not heard everything yet."""
        run = self._runs.get(job_id) if job_id else None
        if run is None or run.position > told.record.position:
            return False
        same = run.library_id == self._library_of[told.record.aggregate_id]
        return same and told.at_s <= run.closed_s + HEARD_LATER_S

    def failed_in_a_row(self, told: Told) -> int:
        """The latest ended ones of its runs, since it was last switched on, paused or resumed."""
        position, schedule_id = told.record.position, told.record.aggregate_id
        since = max((each for each in self._anew[schedule_id] if each < position), default=0)
        ended = sorted(
            (run.closed_at, run.how) for run in self._of_schedule[schedule_id] if since < run.closed_at < position
        )
        row = 0
        for _, how in ended:
            row = row if how == "JobCancelled" else row + 1 if how == "JobFailed" else 0
        return row
