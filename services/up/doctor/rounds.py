"""All checks, in the order in which a person would ask."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import click

from linstock.cli.exits import Exit
from linstock.cli.screen import Screen
from linstock.cli.words import printable
from linstock.embedded import DataDir
from services.up import state
from services.up.doctor import machine, servers, system
from services.up.doctor.finding import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def look(data_dir: Path, *, host: str, port: int, token: str | None) -> list[Finding]:
    async def collect() -> list[Finding]:
        return [finding async for finding in _all(DataDir(data_dir), host, port, token)]

    return asyncio.run(collect())


def show(screen: Screen, findings: list[Finding]) -> int:
    """Returns the exit code."""
    if screen.form == "table":
        for finding in findings:
            verdict = screen.coloured(f"{finding.verdict:<8}", _COLOURS[finding.verdict])
            click.echo(f"{verdict} {finding.check:<12} {printable(finding.found)}")
            if finding.advice:
                click.echo(f"{'':21} → {printable(finding.advice)}")
    else:
        screen.rows([finding.as_row() for finding in findings], (), none="")
    return Exit.FAILED if any(finding.verdict == "failed" for finding in findings) else Exit.OK


async def _all(data: DataDir, host: str, port: int, token: str | None) -> AsyncIterator[Finding]:
    for finding in machine.look(data, datetime.now(UTC).date()):
        yield finding
    yield system.holder(data)
    found = state.running(data)
    if found is None and state.holder(data) is None:
        yield system.port(host, port)
    postgres_url, nats_url = _urls(found)
    if postgres_url and nats_url:
        async for finding in servers.look(postgres_url, nats_url, found):
            yield finding
    if found is None:
        return
    for finding in await system.services(found):
        yield finding
    yield system.exposure(found)
    yield system.libraries(found, token)


def _urls(found: state.State | None) -> tuple[str, str]:
    """Of the servers to look at: what the services use, or would."""
    postgres, nats = (found.postgres, found.nats) if found else (None, None)
    return (
        postgres.url if postgres else os.environ.get("LINSTOCK_DATABASE_URL", ""),
        nats.url if nats else os.environ.get("LINSTOCK_NATS_URL", ""),
    )
