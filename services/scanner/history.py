"""The events of one library's catalogue, a few in memory at a time however long they are."""

from collections.abc import AsyncIterator
from uuid import UUID

from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded

READ_AT_ONCE = 16  # events; each may be half a MiB


async def batches(log: EventLog, library_id: UUID, *, after: int = 0) -> AsyncIterator[list[Recorded]]:
    """In order; reads the whole log, or what comes after a position."""
    position = after
    while events := await log.read(position, limit=READ_AT_ONCE):
        position = events[-1].position
        if ours := [event for event in events if event.aggregate_id == library_id]:
            yield ours
