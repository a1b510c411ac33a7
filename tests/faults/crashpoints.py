"""Every named crash point once, in one running system: the service is started again with LINSTOCK_CRASH_AT, the work
that goes on anyway reaches the point, the process ends there with code 137, and all must hold that holds elsewhere."""

import asyncio
import os
import signal
import time
from pathlib import Path

from linstock import names
from tests.faults import verdict
from tests.faults.kills import QUIET_S
from tests.faults.report import Count, print_table, progress
from tests.faults.system import System
from tests.faults.workload import Workload

REACHED_WITHIN_S = 45.0
LOOK_EVERY_S = 0.1

SERVICE_OF = {
    "before_append": names.LIBRARY,
    "after_append_before_reply": names.LIBRARY,
    "after_reply_before_ack": names.LIBRARY,
    "after_publish_before_confirm": names.LIBRARY,
    "before_projection_commit": names.PROJECTION,
    "after_projection_commit_before_ack": names.PROJECTION,
    "after_claim_append_before_reply": names.SCHEDULER,
    "after_tick_append": names.SCHEDULER,
    "after_dispatch_publish": names.SCHEDULER,
    "after_page_append": names.SCANNER,
    "after_page_index_before_folders": names.SCANNER,
    "after_verdict_append_before_index": names.SCANNER,
    "after_enrichment_append_before_index": names.SCANNER,
}
NEW_CONTENT = ("after_page_append", "after_page_index_before_folders", "after_enrichment_append_before_index")
"""Reached only when a scan finds something new."""


async def run(home: Path, *, seed: int) -> bool:
    system = System(home)
    try:
        system.start()
        workload = Workload(system, seed=seed)
        await workload.start()
        reached = [Count(f"reached {name}", await _crash(workload, name), "137") for name in SERVICE_OF]
        await asyncio.sleep(QUIET_S)
        await workload.rest()
        history = await verdict.at_rest(system)
        return print_table("Named crash points", [*reached, *await verdict.counts(workload, history)])
    finally:
        system.stop()


async def _crash(workload: Workload, name: str) -> str:
    """The exit code of the process that was told to crash there, as its supervisor saw it."""
    system, service = workload.system, SERVICE_OF[name]
    await _running(system, service)
    system.forget_log()
    system.arm(service, name)
    os.kill(system.pids()[service], signal.SIGKILL)
    began = time.monotonic()
    said, content_at = False, 0.0
    while time.monotonic() < began + REACHED_WITHIN_S:
        workload.check_callers()
        if name in NEW_CONTENT and time.monotonic() > content_at:
            workload.add_folder()
            content_at = time.monotonic() + 3.0
        for line in system.new_log_lines():
            said = said or line["event"] == f"crash point {name}"
            if said and line["event"] == "service ended" and line.get("ended") == service:
                progress(f"{service} ended at {name} after {time.monotonic() - began:.1f} s")
                return str(line["code"])
        await asyncio.sleep(LOOK_EVERY_S)
    return "never reached"


async def _running(system: System, service: str) -> None:
    until = time.monotonic() + REACHED_WITHIN_S
    while service not in system.pids() and time.monotonic() < until:
        await asyncio.sleep(LOOK_EVERY_S)
