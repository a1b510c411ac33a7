"""`linstock up --detach`: the same command again as a process of its own, watched until it is ready."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from linstock.disk import because_full
from linstock.embedded import DataDir
from services.up import libraries, state

COMMAND = (sys.executable, "-m", "linstock", "up")
MARK = "LINSTOCK_UP_DETACHED"
READY_TIMEOUT_S = 120.0
TELL_EVERY_S = 2.0
POLL_S = 0.05


def up(data: DataDir, *, paths: tuple[Path, ...], port: int, host: str, log_format: str) -> None:
    """Print the URL alone on the last line once everything is ready. When it ran already, `paths` become libraries
    there; where it listens stays as it is."""
    if state.holder(data) is not None:
        url = _wait(data, None)
        _add(url, paths)
        click.echo(url)
        return
    last_words = data.logs / "start.log"
    argv = [*COMMAND, "--data-dir", str(data.root), "--port", str(port),
            "--host", host, "--log-format", log_format, "--", *(str(path.resolve()) for path in paths)]  # fmt: skip
    with last_words.open("wb") as out:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, MARK: "1"},
        )
    click.echo(_wait(data, child))


def _add(url: str, paths: tuple[Path, ...]) -> None:
    for path in paths:
        try:
            libraries.add_one(url, path.resolve())
        except libraries.NotAdded as error:
            raise click.ClickException(str(error)) from error


def _wait(data: DataDir, child: "subprocess.Popen[bytes] | None") -> str:
    """The URL, once everything is ready."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    tell_at = time.monotonic() + TELL_EVERY_S
    while time.monotonic() < deadline:
        found = state.running(data)
        if found is not None and found.ready:
            return found.url
        if child is not None and child.poll() is not None and state.holder(data) is None:
            raise click.ClickException(_last_words(data))
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
