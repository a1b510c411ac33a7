"""When a schedule fires and under which rules: what its commands and its events both carry."""

from datetime import date, datetime, timedelta

from msgspec import UNSET, UnsetType

from linstock.messages.message import Message


class Timing(Message, frozen=True):
    """When: a cron expression of 5 fields, or 6 (seconds first), or `@every 90s`, in an IANA zone. `days` is and | or,
    `clock_changes` cronos | literal, as `linstock.cron` means them."""

    expression: str
    zone: str
    days: str = "and"
    clock_changes: str = "cronos"


class Window(Message, frozen=True):
    """From `first` to `last`, both included."""

    first: datetime
    last: datetime


class CalendarDays(Message, frozen=True):
    """A calendar as it was at one of its versions. Its days last from 00:00 to the next 00:00 in the zone of whoever
    keeps the copy; sorted, each there once."""

    name: str
    version: int
    days: tuple[date, ...]


class Rules(Message, frozen=True):
    """Which instants fire, and how.

    `misfire` says what becomes of instants at which nobody was there: fire_once (the latest fires, once), fire_all (the
    latest `catchup_limit`, oldest first, one after another) or skip. None fires that is older than `catchup_window`.
    `overlap` says what happens while a run is open: skip, buffer_one or buffer_all (it waits for its turn; at most one,
    or `buffer_limit`, do), cancel_other (the open ones are cancelled, and workers get a moment to stop) or
    terminate_other (and it starts at once).
    `jitter_s` delays each instant by a part of it that is always the same, and never beyond the next instant.
    Instants before `starts_at`, after `ends_at`, within `excluded` or on a day of `calendars` do not fire. After
    `max_runs` since it was last enabled it disables itself; after `pause_after_failures` failures in a row it pauses
    itself.
    """

    misfire: str = "fire_once"
    catchup_window_s: int = 3600
    catchup_limit: int = 100
    overlap: str = "skip"
    buffer_limit: int = 100
    jitter_s: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    excluded: tuple[Window, ...] = ()
    max_runs: int | None = None
    pause_after_failures: int | None = None
    calendars: tuple[CalendarDays, ...] = ()

    @property
    def catchup_window(self) -> timedelta:
        """How old an instant may be that still fires. What waits for its jitter is not missed yet."""
        return timedelta(seconds=self.catchup_window_s + self.jitter_s)


class ChangedRules(Message, frozen=True):
    """Of Rules, what is set changes."""

    misfire: str | UnsetType = UNSET
    catchup_window_s: int | UnsetType = UNSET
    catchup_limit: int | UnsetType = UNSET
    overlap: str | UnsetType = UNSET
    buffer_limit: int | UnsetType = UNSET
    jitter_s: int | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    excluded: tuple[Window, ...] | UnsetType = UNSET
    max_runs: int | UnsetType | None = UNSET
    pause_after_failures: int | UnsetType | None = UNSET
    calendars: tuple[CalendarDays, ...] | UnsetType = UNSET
