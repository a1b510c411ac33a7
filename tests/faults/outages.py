"""PostgreSQL dead for a minute, then NATS hanging for one, while work goes on. `make test` has short ones of each."""

import asyncio
import time
from pathlib import Path

from services.up import readiness
from tests.faults import verdict
from tests.faults.report import Count, print_table, progress
from tests.faults.system import System
from tests.faults.workload import Workload
from tests.support.outages import outage

LASTING_S = {"postgres is dead": 60.0, "nats hangs": 60.0}
READY_WITHIN_S = 15
BETWEEN_S = 3.0
LOOK_EVERY_S = 0.1
GIVE_UP_S = 60.0
MOST_LINES = 200


async def run(home: Path, *, seed: int) -> bool:
    system = System(home)
    try:
        system.start()
        return await _run(system, seed=seed)
    finally:
        system.stop()


async def _run(system: System, *, seed: int) -> bool:
    workload = Workload(system, seed=seed)
    await workload.start()
    counts: list[Count] = []
    for what, lasting_s in LASTING_S.items():
        await asyncio.sleep(BETWEEN_S)
        system.forget_log()
        with outage(what, system.state):
            await asyncio.sleep(lasting_s)
            unwell = await _unready(system)
        ready_s = await _ready_again(system)
        lines = sum(1 for _ in system.new_log_lines())  # a stopped supervisor writes them now
        workload.check_callers()
        progress(f"{what} for {lasting_s:.0f} s: ready again after {ready_s:.1f} s")
        counts += [
            Count(f"{what} for {lasting_s:.0f} s: services that said so", len(unwell), 1, at_least=True),
            Count("  lines logged until all is ready", lines),
            Count(f"    more than {MOST_LINES} a minute", int(lines > MOST_LINES * max(1.0, lasting_s / 60)), 0),
            Count("  ready again after, s", ready_s),
            Count(f"    later than {READY_WITHIN_S} s", int(ready_s > READY_WITHIN_S), 0),
        ]
    await asyncio.sleep(BETWEEN_S)
    await workload.rest()
    progress("at rest: comparing everything with everything")
    history = await verdict.at_rest(system)
    return print_table(f"Outages, seed {seed}", [*counts, *await verdict.counts(workload, history)])


async def _ready_again(system: System) -> float:
    """Seconds until every service says that it is ready; beyond a minute it is not waited for."""
    began = time.monotonic()
    while await _unready(system) and time.monotonic() - began < GIVE_UP_S:
        await asyncio.sleep(LOOK_EVERY_S)
    return time.monotonic() - began


async def _unready(system: System) -> dict[str, str]:
    return await readiness.unready({name: each.probe for name, each in system.state.services.items()})
