"""How many runs are kept, by scope, block of ordinals, status and trigger. From the scheduler log.

A list's total is the sum over its large blocks. A page is found by adding large blocks up from the newest, and then the
small ones in one of them. Neither looks at the runs themselves, and runs that were forgotten are no longer counted.
"""

from msgspec import Struct

from services.projection.sums import Sums
from services.projection.views.jobs import Change, Job
from services.projection.views.scopes import scopes

SIZES = (1024, 65_536)
"""Ordinals in a small and in a large block: at most so many runs are passed to find a page, and so few blocks."""


class RunCount(Struct, frozen=True):
    """Ordinals in the block are under `below`, and at least `below` - `size`."""

    scope: str
    size: int
    below: int
    status: str
    triggered_by: str
    runs: int


def sums() -> Sums[RunCount]:
    return Sums("run_counts", RunCount, key=("scope", "size", "below", "status", "triggered_by"))


def fold(counts: Sums[RunCount], change: Change) -> None:
    before, after = change.before, change.after
    if before is not None:
        if before.status == after.status:
            return
        _add(counts, before, -1)
    _add(counts, after, 1)


def _add(counts: Sums[RunCount], job: Job, amount: int) -> None:
    ordinals = (job.ordinal, job.schedule_ordinal, job.library_ordinal)
    whose = scopes(job.workspace, job.schedule_id, job.library_id, job.job_type)
    for scope, ordinal in zip(whose, ordinals, strict=True):
        if scope is not None and ordinal is not None:
            for size in SIZES:
                counts.add((scope, size, _below(ordinal, size), job.status, job.triggered_by), amount)


def _below(ordinal: int, size: int) -> int:
    return (ordinal // size + 1) * size
