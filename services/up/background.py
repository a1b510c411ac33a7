"""`linstock up --detach`: the same command again as a process of its own, watched until it is ready."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import click

from linstock.cli.exits import Ended, Exit
from linstock.disk import because_full
from linstock.embedded import DataDir
from services.up import libraries, state, tokens
from services.up.launch import PLAIN_HTTP, Launch
from services.up.state import State

COMMAND = (sys.executable, "-m", "linstock", "up")
MARK = "LINSTOCK_UP_DETACHED"
READY_TIMEOUT_S = 120.0
TELL_EVERY_S = 2.0
POLL_S = 0.05


def up(data: DataDir, launch: Launch) -> None:
    """Print the URL alone on the last line once everything is ready. When it ran already, its paths become libraries
    there; where it listens and whom it lets in stays as it is."""
    if state.holder(data) is not None:
        found = _wait(data, None)
        asyncio.run(_add(found, launch.paths))
        click.echo(found.url)
        return
    if launch.is_open:
        click.echo(f"{launch.host}: {PLAIN_HTTP}", err=True)
    last_words = data.logs / "start.log"
    argv = [*COMMAND, "--data-dir", str(data.root), *launch.words()]
    with last_words.open("wb") as out:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, MARK: "1"},
        )
    click.echo(_wait(data, child).url)


async def _add(found: State, paths: tuple[Path, ...]) -> None:
    if not paths:
        return
    assert found.postgres
    async with tokens.passing(found.postgres.url, needed=found.needs_token) as token:
        for path in paths:
            try:
                libraries.add_one(found.url, path.resolve(), token)
            except libraries.NotAdded as error:
                raise click.ClickException(str(error)) from error


def _wait(data: DataDir, child: "subprocess.Popen[bytes] | None") -> State:
    """What runs, once everything is ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    tell_at = time.monotonic() + TELL_EVERY_S
    while time.monotonic() < deadline:
        found = state.running(data)
        if found is not None and found.ready:
            return found
        if child is not None and child.poll() is not None and state.holder(data) is None:
            code = Exit.NOT_ALLOWED if child.returncode == Exit.NOT_ALLOWED else Exit.FAILED
            raise Ended(_last_words(data), code)
        if child is None and state.holder(data) is None:
            raise click.ClickException("The Linstock that ran on this data directory has just stopped; try again.")
        if time.monotonic() > tell_at:
            tell_at += TELL_EVERY_S
            waiting = found.waiting if found is not None else {"NATS and PostgreSQL": "starting"}
            click.echo("waiting for " + ", ".join(f"{name} ({why})" for name, why in waiting.items()), err=True)
        time.sleep(POLL_S)
    raise click.ClickException(
        f"Not ready after {READY_TIMEOUT_S:g} s; it goes on trying: see {data.logs}/linstock.log"
    )


def _last_words(data: DataDir) -> str:
    words = (data.logs / "start.log").read_text(errors="replace").strip()
    return words or f"It ended without a word; see {data.logs}/linstock.log.{because_full(data.root)}"
