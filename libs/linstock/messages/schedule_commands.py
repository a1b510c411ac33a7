"""What people tell schedules over HTTP and on the command line. What schedules are told besides is in `schedule.py`."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from linstock.messages.message import Message
from linstock.messages.rules import ChangedRules, Rules, Timing
from linstock.messages.schedule import JobPolicy, ScanPath


class RequestScan(Message, frozen=True, tag="RequestScan"):
    """Scan a library now, whatever its schedule says. The job's id is uuid5 of the command's id. `scope` and `dry_run`
    are as in ScanRequested."""

    library_id: UUID
    triggered_by: str = "API"
    scan_mode: str = "changed"
    scope: tuple[ScanPath, ...] = ()
    dry_run: bool = False


class CreateSchedule(Message, frozen=True, tag="CreateSchedule"):
    """A further schedule of a library; of a library whose own schedule was deleted, that one again. Its id, if it is a
    further one, is uuid5 of the command's. Empty `name` and `description`: made from the library's name."""

    library_id: UUID
    timing: Timing
    name: str = ""
    description: str = ""
    enabled: bool = True
    policy: JobPolicy = JobPolicy()
    scan_mode: str = "changed"
    rules: Rules = Rules()
    calendars: tuple[str, ...] = ()  # by name: the owner knows their days


class ChangeSchedule(Message, frozen=True, tag="ChangeSchedule"):
    """Only what is set changes. `if_versions`: refused (412) unless the schedule's edition is one of them; empty: any.
    `enabled` switches it as EnableSchedule and DisableSchedule do. `calendars` are named; their days are the owner's to
    know. `restored`: this is what that version was."""

    schedule_id: UUID
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    expression: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    timeout_s: int | UnsetType = UNSET
    max_retries: int | UnsetType = UNSET
    scan_mode: str | UnsetType = UNSET
    days: str | UnsetType = UNSET
    clock_changes: str | UnsetType = UNSET
    rules: ChangedRules = ChangedRules()
    calendars: tuple[str, ...] | UnsetType = UNSET
    if_versions: tuple[int, ...] = ()
    restored: int | None = None


class EnableSchedule(Message, frozen=True, tag="EnableSchedule"):
    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class DisableSchedule(Message, frozen=True, tag="DisableSchedule"):
    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class PauseSchedule(Message, frozen=True, tag="PauseSchedule"):
    """Fire no more until somebody resumes it, or until `resume_at`. Paused already: with this reason and time from now
    on. It stays what its library calls on: a pause is nothing the library hears of."""

    schedule_id: UUID
    reason: str = ""
    resume_at: datetime | None = None
    if_versions: tuple[int, ...] = ()


class ResumeSchedule(Message, frozen=True, tag="ResumeSchedule"):
    """Fire again, from now on."""

    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class Which(Message, frozen=True):
    """Schedules of a workspace: those that all of this says. `text` is part of the name, the description or the
    library's name, whatever its case. `everything`: nothing else is said."""

    ids: tuple[UUID, ...] | None = None
    library_id: UUID | None = None
    text: str = ""
    everything: bool = False


class PauseSchedules(Message, frozen=True, tag="PauseSchedules"):
    """As PauseSchedule, all of them or none. What is disabled, or paused for at least as long, stays as it is.
    `dry_run`: only say what would be done."""

    which: Which
    reason: str = ""
    resume_at: datetime | None = None
    dry_run: bool = False


class ResumeSchedules(Message, frozen=True, tag="ResumeSchedules"):
    """As ResumeSchedule, all that are paused or none."""

    which: Which
    dry_run: bool = False


class DeleteSchedule(Message, frozen=True, tag="DeleteSchedule"):
    """Its runs stay. A library's own schedule comes back when autoScan is switched on again."""

    schedule_id: UUID
    if_versions: tuple[int, ...] = ()


class TriggerSchedule(Message, frozen=True, tag="TriggerSchedule"):
    """Run it now, also while it is disabled. The job's id is uuid5 of the command's. Its mode, if not given, is the
    schedule's."""

    schedule_id: UUID
    triggered_by: str = "API"
    scan_mode: str | UnsetType = UNSET


class BackfillSchedule(Message, frozen=True, tag="BackfillSchedule"):
    """Make up for the instants from `first` to `last`, both included, to which the expression in force comes: each that
    never had a run gets one. Refused (422) when there are more than `limit`. `dry_run`: only say what it would do."""

    schedule_id: UUID
    first: datetime
    last: datetime
    limit: int = 200
    dry_run: bool = False
