"""kill -9 at random, while work goes on."""

import asyncio
import time
from pathlib import Path

from tests.faults import verdict
from tests.faults.report import Count, print_table, progress
from tests.faults.system import System
from tests.faults.victims import VICTIMS, Killer, deck
from tests.faults.workload import Workload

TELL_EVERY = 10
QUIET_S = 3.0
REPLICAS = ("scheduler", "library")


async def run(home: Path, *, seed: int, kills: int) -> bool:
    system = System(home, replicas=REPLICAS)
    try:
        began = time.monotonic()
        system.start()
        progress(f"up in {time.monotonic() - began:.1f} s, data in {home}")
        return await _run(system, seed=seed, kills=kills)
    finally:
        system.stop()


async def _run(system: System, *, seed: int, kills: int) -> bool:
    workload = Workload(system, seed=seed)
    await workload.start()
    killer = Killer(system, seed)
    began = time.monotonic()
    for number, (victim, pause_s) in zip(range(1, kills + 1), deck(seed), strict=False):
        killed = await killer.kill(victim)
        workload.check_callers()
        if number % TELL_EVERY == 0 or number == kills:
            progress(
                f"{number}/{kills} kills in {time.monotonic() - began:.0f} s (last: {killed} for {victim}), "
                f"{len(workload.ledger.acked())} commands acknowledged"
            )
        await asyncio.sleep(pause_s)
    await asyncio.sleep(QUIET_S)
    await workload.rest()
    progress("at rest: comparing everything with everything")
    history = await verdict.at_rest(system)
    counts = [
        Count("kills", killer.kills.total(), kills),
        *(Count(f"  {victim}", killer.kills[victim]) for victim in VICTIMS),
        *await verdict.counts(workload, history),
    ]
    return print_table(f"Kills, seed {seed}", counts)
