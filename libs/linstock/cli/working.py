"""What `linstock worker` does: find the jobs, run them, and start again what has died."""

import importlib
import logging
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click

from linstock.cli.exits import Ended, Exit
from linstock.jobs.address import NothingRuns
from linstock.jobs.worker import NoJobs, Worker

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
LONG_LIFE_S = 60.0
"""Whoever lived as long is not dying of what it does at its start."""


def load(target: str) -> Worker:
    """Raises click.BadParameter."""
    module_name, _, attribute = target.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise click.BadParameter(f"there is no module {error.name!r} (looked from {Path.cwd()})") from error
    if attribute:
        found: Any = getattr(module, attribute, None)
        if not isinstance(found, Worker):
            raise click.BadParameter(f"{module_name} has no Worker called {attribute!r}")
        return found
    workers = [value for value in vars(module).values() if isinstance(value, Worker)]
    if len(workers) > 1:
        raise click.BadParameter(f"{module_name} has {len(workers)} workers: say which, as {module_name}:NAME")
    try:
        return workers[0] if workers else Worker([module])
    except (NoJobs, ValueError) as error:
        raise click.BadParameter(f"{module_name}: {error}") from error


def run(worker: Worker) -> None:
    """Raises Ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        worker.run()
    except NothingRuns as error:
        raise Ended(str(error), Exit.UNREACHABLE) from error


def keep_running() -> None:
    """This very command again, in a process of its own, and again when it dies: a job may take its process along."""
    child: subprocess.Popen[bytes] | None = None
    stopping = False

    def pass_on(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None and child.poll() is None:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    delay_s = FIRST_DELAY_S
    while True:
        began_s = time.monotonic()
        child = subprocess.Popen([sys.executable, "-m", "linstock", *sys.argv[1:], "--alone"], start_new_session=True)
        if stopping:
            child.terminate()
        code = child.wait()
        if stopping or code in (Exit.OK, Exit.USAGE, Exit.UNREACHABLE):
            sys.exit(max(code, 0))
        if time.monotonic() - began_s > LONG_LIFE_S:
            delay_s = FIRST_DELAY_S
        click.echo(f"The worker has ended with code {code}; it is started again in {delay_s:g} s.", err=True)
        time.sleep(delay_s)
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
