"""What jobs of one command wait for among themselves. Pure."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

from msgspec.structs import replace

from linstock.messages.enqueue import WantedJob
from linstock.messages.job import After
from services.scheduler.limits import invalid

Wanted = tuple[int, UUID, WantedJob]
"""A job that is to be, its place in the command and its id."""


def settled(jobs: Sequence[Wanted], holders: Mapping[UUID, UUID]) -> list[Wanted]:
    """With what each really waits for: of a job that is not to be, because another has its key, that other one.

    Raises Refused for jobs that would wait for one another for ever.
    """
    found = [(place, job_id, replace(wanted, after=_after(wanted, holders))) for place, job_id, wanted in jobs]
    try:
        TopologicalSorter({job_id: [each.job_id for each in wanted.after] for _, job_id, wanted in found}).prepare()
    except CycleError as error:
        circle = set(error.args[1])
        place = next(place for place, job_id, _ in found if job_id in circle)
        raise invalid(f"jobs/{place}/after", "it would wait for itself, and so for ever") from error
    return found


def _after(wanted: WantedJob, holders: Mapping[UUID, UUID]) -> tuple[After, ...]:
    return tuple(
        dict.fromkeys(After(job_id=holders.get(each.job_id, each.job_id), on=each.on) for each in wanted.after)
    )
