"""The whole verdict on one run of the system: wait until it is at rest, then compare everything with everything."""

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx

from linstock import names
from services.api.callers import ANONYMOUS
from services.up import readiness
from tests.faults import oracles
from tests.faults.history import History, read_history
from tests.faults.report import Count
from tests.faults.system import System
from tests.faults.workload import SETTLED_WITHIN_S, NeverSettled, Workload

LOOK_EVERY_S = 1.0
PAGE_SIZE = 100


async def at_rest(system: System) -> History:
    """The history once every job has a verdict and EVENTS has every event, or, late, as it is then."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        found = system.state
        assert found.postgres
        assert found.nats
        history = await read_history(found.postgres.url, found.nats.url)
        carriage = oracles.carriage(history)
        # EVENTS is read after the logs, so while events still come it holds some that those did not.
        if not (oracles.jobs(history).open or carriage.missing or carriage.foreign) or time.monotonic() > until:
            return history
        await asyncio.sleep(LOOK_EVERY_S)


async def counts(workload: Workload, history: History) -> list[Count]:
    """Every count of the table, each with what is allowed."""
    return [
        *_commands(workload, history),
        *_ticks(workload, history),
        *_jobs(history),
        *carried(history),
        await recovered(workload.system),
        *await tools(workload.system),
        *await _read_side(workload),
    ]


def _commands(workload: Workload, history: History) -> list[Count]:
    ledger = workload.ledger
    ids = {
        entry.key: names.command_of(_owner(entry.kind), names.DEFAULT_WORKSPACE, ANONYMOUS.actor, entry.key)
        for entry in ledger.entries
    }
    found = oracles.commands(history, ledger, ids)
    silent_s, began = ledger.longest_silence()
    # A scan may be refused for good reason: after an outage the scheduler hears of a new library later than its 5 s.
    groundless = {what: times for what, times in found.refused.items() if not what.startswith("scan")}
    return [
        Count("commands sent", ledger.sent()),
        Count("  sent again under the same key", ledger.retried()),
        Count("  acknowledged", len(ledger.acked()), 1, at_least=True),
        Count("  acknowledged and lost", found.lost, 0),
        Count("  done twice", found.doubled, 0),
        Count("  answered with another id under the same key", found.answered_differently, 0),
        Count(
            "  refused: a scan of a library that was not known there yet",
            sum(found.refused.values()) - sum(groundless.values()),
        ),
        Count(f"  refused without reason {groundless or ''}".rstrip(), sum(groundless.values()), 0),
        Count(f"  longest time without any answer, s (from {began:%H:%M:%S})" if began else "  no answers", silent_s),
    ]


def _owner(kind: str) -> str:
    return names.SCHEDULER if kind == "scan" else names.LIBRARY


def _ticks(workload: Workload, history: History) -> list[Count]:
    found = oracles.ticks(history, workload.schedule_id)
    return [
        Count(f"ticks fired {_split(found.verdicts)}", found.fired, 1, at_least=True),
        Count(f"  skipped, and why {_split(found.skipped)}", found.skipped.total()),
        Count("  missing", found.missing, 0),
        Count("  doubled", found.doubled, 0),
        Count("  early", found.early, 0),
        Count("  skipped without a reason that holds", found.unexplained, 0),
        Count("  longest time without a tick's verdict, s", found.longest_pause_s),
    ]


def _jobs(history: History) -> list[Count]:
    found = oracles.jobs(history)
    return [
        Count(f"jobs requested {_split(found.verdicts)}", found.requested, 1, at_least=True),
        Count("  requested twice", found.doubled, 0),
        Count("  without a verdict", found.open, 0),
        Count("  with several verdicts", found.several_verdicts, 0),
        Count("  begun after their verdict", found.after_verdict, 0),
        Count("  fired but never requested", found.orphan_ticks, 0),
        Count("  attempts beyond the first", found.reruns),
        Count("  longest time from request to verdict, s", found.longest_open_s),
        Count("  attempts run twice", found.attempts_run_twice, 0),
        Count("  runs without a granted claim", found.unclaimed_runs, 0),
    ]


def carried(history: History) -> list[Count]:
    """What EVENTS has of the logs."""
    found = oracles.carriage(history)
    return [
        Count("events of Postgres missing in EVENTS", found.missing, 0),
        Count("  doubled in EVENTS", found.doubled, 0),
        Count("  out of order", found.disordered, 0),
        Count("  not naming their predecessor", found.unchained, 0),
        Count("  in EVENTS and not in Postgres", found.foreign, 0),
    ]


async def recovered(system: System) -> Count:
    """A process may live on without doing its work; then only its own word tells."""
    services = system.state.services
    unready = await readiness.unready({name: service.probe for name, service in services.items()})
    what = "processes that are not ready in the end"
    return Count(f"{what} {unready}"[:110] if unready else what, len(unready), 0)


async def tools(system: System) -> list[Count]:
    """`projection verify` compares the live tables with a rebuild."""
    found = []
    for words in (("events", "verify"), ("projection", "verify")):
        done = await asyncio.to_thread(system.command, *words)
        said = [line.strip(" │") for line in (done.stdout + done.stderr).splitlines() if any(map(str.isalpha, line))]
        what = f"linstock {' '.join(words)}: exit code"
        found.append(
            Count(what if done.returncode == 0 else f"{what} ({said[-1][:60] if said else ''})", done.returncode, 0)
        )
    return found


async def _read_side(workload: Workload) -> list[Count]:
    """What the API shows must be what callers were told."""
    async with httpx.AsyncClient(base_url=workload.system.state.url, timeout=30) as client:
        shown = {UUID(row["id"]): row["name"] for row in await _rows(client, "/api/v1/libraries")}
        path = f"/api/v1/libraries/{workload.library_id}/collections"
        collections = [row for row in await _rows(client, path) if row["state"] == "present"]
    shown.pop(workload.library_id, None)
    wanted = {each.library_id: each.name for each in workload.ledger.libraries.values() if not each.deleted}
    wrong = sum(shown.get(library_id) != name for library_id, name in wanted.items())
    return [
        Count("libraries shown other than their callers left them", wrong, 0),
        Count("  shown that nobody wanted", len(shown.keys() - wanted.keys()), 0),
        Count("collections shown of the tree that is scanned", len(collections), workload.collections),
    ]


async def _rows(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        answer = await client.get(path, params={"page": page, "pageSize": PAGE_SIZE})
        if answer.status_code != 200:
            raise NeverSettled(f"{path}: {answer.status_code} {answer.text[:200]}")
        found = answer.json()
        rows += found["data"]
        page, pages = page + 1, found["totalPages"]
    return rows


def _split(counter: dict[str, int]) -> str:
    return "(" + ", ".join(f"{word} {count}" for word, count in sorted(counter.items())) + ")"
