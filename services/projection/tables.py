"""All read models together: which of them each log feeds, in which order they are folded. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from linstock import names
from services.projection.fact import Fact, Poison
from services.projection.rows import Rows
from services.projection.sums import Sums
from services.projection.views import (
    app_jobs,
    backfills,
    calendars,
    collection_moves,
    collections,
    contents,
    covers,
    feed,
    file_hashes,
    files,
    holds,
    jobs,
    libraries,
    operations,
    proposals,
    quarantine,
    read_counts,
    run_counts,
    run_days,
    run_totals,
    scan_changes,
    scans,
    schedule_versions,
    schedules,
    ticks,
)
from services.projection.views.collections import Collection

SHAPE = 8
"""Raise it whenever a fold or a row changes its meaning: then stored rows are built again from the events."""


class Tables:
    """The rows that a batch reads and writes."""

    def __init__(self) -> None:
        self.operations = operations.rows()
        self.libraries = libraries.rows()
        self.calendars = calendars.rows()
        self.schedules = schedules.rows()
        self.schedule_versions = schedule_versions.rows()
        self.ticks = ticks.rows()
        self.backfills = backfills.rows()
        self.run_totals = run_totals.rows()
        self.run_counts = run_counts.sums()
        self.run_days = run_days.sums()
        self.jobs = jobs.rows()
        self.app_jobs = app_jobs.rows()
        self.app_job_counts = app_jobs.counts()
        self.scans = scans.rows()
        self.holds = holds.rows()
        self.proposals = proposals.rows()
        self.collections = collections.rows()
        self.collection_moves = collection_moves.rows()
        self.scan_changes = scan_changes.rows()
        self.files = files.rows()
        self.file_hashes = file_hashes.rows()
        self.covers = covers.rows()
        self.quarantine = quarantine.rows()
        self.read_counts = read_counts.sums()
        self.events = feed.rows()
        self.hours = feed.hours()
        self.contents = contents.sums()
        self.content_days = contents.day_sums()

    def all(self) -> tuple[Rows[Any], ...]:
        return (
            self.operations,
            self.libraries,
            self.calendars,
            self.schedules,
            self.schedule_versions,
            self.ticks,
            self.backfills,
            self.run_totals,
            self.jobs,
            self.app_jobs,
            self.scans,
            self.holds,
            self.proposals,
            self.collections,
            self.collection_moves,
            self.scan_changes,
            self.files,
            self.file_hashes,
            self.covers,
            self.quarantine,
            self.events,
            self.hours,
        )

    def sums(self) -> tuple[Sums[Any], ...]:
        return (
            self.run_counts,
            self.run_days,
            self.app_job_counts,
            self.contents,
            self.content_days,
            self.read_counts,
        )

    def names(self) -> list[str]:
        return [rows.table for rows in self.all()] + [sums.table for sums in self.sums()] + [feed.FLOORS]

    def reads(self, facts: Sequence[Fact]) -> Iterable[tuple[Rows[Any], set[object]]]:
        """Table by table the stored rows that `fold` will look at. Load each before asking for the next: what a later
        table reads may depend on rows of an earlier one."""
        yield self.libraries, {key for fact in facts for key in libraries.reads(fact)}
        yield self.calendars, {key for fact in facts for key in calendars.reads(fact)}
        yield self.schedules, {key for fact in facts for key in schedules.reads(fact)}
        yield self.schedule_versions, {key for fact in facts for key in schedule_versions.reads(fact)}
        yield self.jobs, {key for fact in facts for key in jobs.reads(fact)}
        yield self.app_jobs, {key for fact in facts for key in app_jobs.reads(fact)}
        yield self.run_totals, {key for fact in facts for key in run_totals.reads(fact, self.jobs)}
        yield self.scans, {key for fact in facts for key in scans.reads(fact)}
        yield self.holds, {key for fact in facts for key in holds.reads(fact)}
        yield self.collections, {key for fact in facts for key in collections.reads(fact)}
        yield self.scan_changes, {key for fact in facts for key in scan_changes.reads(fact, self.collections)}
        yield self.files, {key for fact in facts for key in files.reads(fact)}
        yield self.file_hashes, {key for fact in facts for key in file_hashes.reads(fact)}
        yield self.covers, {key for fact in facts for key in covers.reads(fact)}
        yield self.quarantine, {key for fact in facts for key in quarantine.reads(fact)}
        yield self.hours, {feed.hour_of(fact.time) for fact in facts}

    def fold(self, facts: Sequence[Fact]) -> None:
        """Raises Poison."""
        feed.note_hours(self.hours, facts)
        for fact in facts:
            try:
                self._fold(fact)
                feed.fold(self.events, fact, self._library(fact))
            except Exception as error:
                raise Poison(
                    fact.log, fact.position, type(fact.event).__name__, f"{type(error).__name__}: {error}"
                ) from error

    def _fold(self, fact: Fact) -> None:
        match fact.log.partition("-")[0]:
            case names.LIBRARY:
                libraries.fold(self.libraries, fact)
                operations.fold(self.operations, fact)
            case names.SCHEDULER:
                self._fold_schedules(fact)
                self._fold_jobs(fact)
                operations.fold(self.operations, fact)
            case names.SCANNER:  # and each further scanner at a disk, such as scanner-nas1
                scans.fold(self.scans, fact)
                holds.fold(self.holds, fact)
                proposals.fold(self.proposals, fact)
                collections.fold(self.collections, fact, self._content_changed(fact))
                scan_changes.fold(self.scan_changes, fact)
                files.fold(self.files, fact)
                file_hashes.fold(self.file_hashes, fact)
                covers.fold(self.covers, self.read_counts, fact)
                quarantine.fold(self.quarantine, self.read_counts, fact)
                operations.fold(self.operations, fact)
            case _:
                return

    def _fold_schedules(self, fact: Fact) -> None:
        calendars.fold(self.calendars, fact)
        schedules.fold(self.schedules, fact)
        schedule_versions.fold(self.schedule_versions, self.schedules.get(fact.aggregate_id), fact)
        ticks.fold(self.ticks, self.schedules, fact)
        backfills.fold(self.backfills, fact)

    def _fold_jobs(self, fact: Fact) -> None:
        app_jobs.fold(self.app_jobs, self.app_job_counts, fact)
        change = jobs.fold(self.jobs, run_totals.number(self.run_totals, fact), fact)
        if change is not None:
            run_totals.fold(self.run_totals, change)
            run_counts.fold(self.run_counts, change)
            run_days.fold(self.run_days, change)

    def _content_changed(self, fact: Fact) -> collections.Changed:
        note = scan_changes.noting(self.scan_changes, fact)
        note_move = collection_moves.noting(self.collection_moves, fact)

        def changed(before: Collection | None, after: Collection, at: datetime) -> None:
            contents.fold(self.contents, self.content_days, before, after, at)
            note(before, after)
            note_move(before, after)

        return changed

    def _library(self, fact: Fact) -> UUID | None:
        """The library of the job or schedule that the event is about, as the event's own log has told it."""
        if fact.log != names.SCHEDULER:
            return None
        told = self.jobs.get(fact.aggregate_id) or self.schedules.get(fact.aggregate_id)
        return told.library_id if told else None
