"""When the scheduler closes a scan's attempt from outside, the scan ends here too and gives its catalogue back.

Tolerates events that come twice, late or out of order, and jobs that are no scans or never began here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never
from uuid import UUID

import msgspec

from linstock.bus.reactions import following
from linstock.crashpoints import reach
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Origin, Recorded, VersionConflict
from linstock.messages.catalogue import ReleaseCatalogue
from linstock.messages.job import JobCancelled, JobFailed, JobPaused, JobRetryScheduled, JobTimedOut
from linstock.messages.scan import AbandonScan, ScanCancelled
from services.scanner import catalogue, scan
from services.scanner.catalogue import CATALOGUE
from services.scanner.journal import Journal
from services.scanner.scan import SCAN

ACTOR = "scanner"

Closing = JobCancelled | JobTimedOut | JobFailed | JobRetryScheduled | JobPaused
_CLOSINGS: msgspec.json.Decoder[Closing] = msgspec.json.Decoder(Closing)
_CLOSING_TYPES = frozenset(
    str(kind.__struct_config__.tag) for kind in (JobCancelled, JobTimedOut, JobFailed, JobRetryScheduled, JobPaused)
)

StopWalk = Callable[[UUID, int], None]


class Closings:
    """`stop_walk` ends the walk of an attempt, and of those before it, if one runs in this process."""

    def __init__(self, log: EventLog, journal: Journal, *, stop_walk: StopWalk, now: Callable[[], datetime]) -> None:
        self._log = log
        self._journal = journal
        self._stop_walk = stop_walk
        self._now = now

    async def react(self, recorded: Recorded) -> None:
        """For `linstock.bus.reactions`: any job event."""
        if recorded.type not in _CLOSING_TYPES:
            return
        closing = _CLOSINGS.decode(recorded.data)
        if isinstance(closing, JobPaused) and closing.attempt == closing.next_attempt:
            return  # it had not begun
        reason = _reason(closing)
        reach("before_closing")
        library_id = await self._journal.close(job_id=closing.job_id, attempt=closing.attempt, reason=reason)
        if library_id is None:
            return
        self._stop_walk(closing.job_id, closing.attempt)
        reach("while_closing")
        verdict = ScanCancelled(
            scan_id=closing.job_id,
            library_id=library_id,
            attempt=closing.attempt,
            reason=reason,
            at=self._now(),
        )
        origin = following(recorded, actor=ACTOR, at=verdict.at)
        # Once more after it was recorded: an attempt that was just starting looks at its scan after it took the
        # catalogue, and this looks at the catalogue after it closed the scan, so one of the two notices.
        while await self._abandon(verdict, origin):
            pass

    async def _abandon(self, verdict: ScanCancelled, origin: Origin) -> bool:
        """True if there was something to do."""
        closing = await SCAN.load(self._log, verdict.scan_id)
        owned = await CATALOGUE.load(self._log, verdict.library_id)
        release = ReleaseCatalogue(
            scan_id=verdict.scan_id, library_id=verdict.library_id, attempt=verdict.attempt, at=verdict.at
        )
        appends = (
            closing.append(scan.decide(AbandonScan(verdict=verdict), closing.state)),
            owned.append(catalogue.decide(release, owned.state)),
        )
        if not any(append.events for append in appends):
            return False
        try:
            await self._log.append([append for append in appends if append.events], origin)
        except VersionConflict:
            return True  # somebody was first: look again
        return True


def _reason(closing: Closing) -> str:
    match closing:
        case JobCancelled(reason=reason):
            return reason or "cancelled"
        case JobTimedOut():
            return "timeout"
        case JobPaused():
            return "paused"
        case JobFailed(code=code) | JobRetryScheduled(code=code):
            return code
        case _:
            assert_never(closing)
