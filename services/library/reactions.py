"""What a library's own schedule was told directly becomes the library's wish. Any event may come twice, late, or before
an older one; each says when it was told."""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never
from uuid import UUID

import msgspec

from linstock import names
from linstock.bus.reactions import following
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded, VersionConflict
from linstock.messages.library import FollowSchedule
from linstock.messages.schedule import (
    ScheduleChanged,
    ScheduleDefined,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
)
from services.library import library
from services.library.commands import LIBRARY

TRIES = 20

Told = ScheduleDefined | ScheduleChanged | ScheduleEnabled | ScheduleDisabled | ScheduleDeleted
_TOLD: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)


class Wishes:
    """For `linstock.bus.reactions`, on the events of `names.schedule_wishes`."""

    def __init__(self, log: EventLog, *, now: Callable[[], datetime]) -> None:
        self._log = log
        self._now = now

    async def react(self, recorded: Recorded) -> None:
        wish = wish_of(_TOLD.decode(recorded.data))
        if wish is None:
            return
        for _ in range(TRIES):
            loaded = await LIBRARY.load(self._log, wish.library_id)
            events = library.decide(wish, loaded.state, wish.library_id, at=self._now())
            if not events:
                return
            try:
                await self._log.append(
                    [loaded.append(events)], following(recorded, actor=recorded.actor, at=self._now())
                )
            except VersionConflict:
                continue  # a command was faster
            return
        raise VersionConflict([wish.library_id])


def wish_of(told: Told) -> FollowSchedule | None:
    """None for a schedule that is not a library's own, and for what the library itself said before times were kept."""
    match told:
        case ScheduleDefined(target=target, auto_scan_at=at, timing=timing, enabled=enabled):
            if at is None or told.schedule_id != names.schedule_of(target.library_id):
                return None
            return FollowSchedule(
                library_id=target.library_id,
                at=at,
                auto_scan=enabled,
                cron_expression=timing.expression,
                time_zone=timing.zone,
            )
        case ScheduleChanged(target=target, timing_at=at, timing=timing):
            if at is None or told.schedule_id != names.schedule_of(target.library_id):
                return None
            return FollowSchedule(
                library_id=target.library_id, at=at, cron_expression=timing.expression, time_zone=timing.zone
            )
        case ScheduleEnabled(library_id=library_id, auto_scan_at=at):
            return _switched(library_id, at, True)
        case (
            ScheduleDisabled(library_id=library_id, auto_scan_at=at)
            | ScheduleDeleted(library_id=library_id, auto_scan_at=at)
        ):
            return _switched(library_id, at, False)
        case _:
            assert_never(told)


def _switched(library_id: UUID | None, at: datetime | None, on: bool) -> FollowSchedule | None:
    if library_id is None or at is None:
        return None
    return FollowSchedule(library_id=library_id, at=at, auto_scan=on)
