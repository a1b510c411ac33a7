"""The jobs that `bench_jobs.py` has run."""

import time

from linstock import job


@job(name="noop")
async def noop() -> None: ...


@job(name="moment")
async def moment() -> float:
    """When it began, by the wall clock."""
    return time.time()
