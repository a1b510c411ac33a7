"""`linstock down` and `linstock status`: about what runs on a data directory."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import click
import msgspec

from linstock.disk import Disk
from linstock.embedded import DataDir
from services.up import readiness, state

STOP_TIMEOUT_S = 15.0
POLL_S = 0.05
NOTHING_RUNS = 3


def down(data_dir: Path) -> None:
    """Return when nothing runs there any more; at the limit, kill it (its children end with it)."""
    data = DataDir(data_dir)
    pid = state.holder(data)
    if pid is None:
        click.echo(f"Nothing runs on {data.root}.", err=True)
        return
    if pid == 0:  # it holds the lock and has not written its pid yet; 0 would be our own process group
        raise click.ClickException(f"Linstock is just starting on {data.root}; try again in a moment.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while state.holder(data) == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise click.ClickException(f"It did not stop within {STOP_TIMEOUT_S:g} s and was killed; nothing is lost.")
        time.sleep(POLL_S)
    click.echo("Stopped.", err=True)


def status(data_dir: Path, *, as_json: bool) -> None:
    data = DataDir(data_dir)
    found = state.running(data)
    if found is None:
        click.echo(f"Nothing runs on {data.root}.", err=True)
        sys.exit(NOTHING_RUNS)
    waiting = asyncio.run(readiness.unready({name: service.probe for name, service in found.services.items()}))
    if as_json:
        services = {name: {"pid": service.pid, "probe": service.probe, "unready": waiting.get(name)}
                    for name, service in found.services.items()}  # fmt: skip
        click.echo(msgspec.json.encode({"url": found.url, "pid": found.pid, "services": services}).decode())
    else:
        click.echo(f"{found.url}  (pid {found.pid}, data in {data.root})")
        for name, service in found.services.items():
            click.echo(f"  {name:<12} pid {service.pid or '-':<8} {service.probe:<24} {waiting.get(name, 'ready')}")
        for name, server in (("NATS", found.nats), ("PostgreSQL", found.postgres)):
            if server is not None:
                click.echo(f"  {name:<12} pid {server.pid or '-':<8}")
        if low := Disk(data.root).low():
            click.echo(f"Warning: {low}.", err=True)
    sys.exit(1 if waiting else 0)
