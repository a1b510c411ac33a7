"""Taking a server of a running `linstock up` away, for as long as a block runs: dead, or hanging, which is worse."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from services.up.state import State

OUTAGES = ("postgres hangs", "postgres is dead", "nats hangs", "nats is dead")


@contextmanager
def outage(what: str, state: State) -> Iterator[None]:
    """One of OUTAGES. A dead server stays dead, because its supervisor is stopped as well."""
    server, _, how = what.partition(" ")
    found = state.postgres if server == "postgres" else state.nats
    assert found
    assert found.pid
    with _hanging(found.pid) if how == "hangs" else _dead(found.pid, state.pid):
        yield


@contextmanager
def _hanging(pid: int) -> Iterator[None]:
    parent = psutil.Process(pid)
    stopped = [parent]
    parent.suspend()  # first: what it cannot fork we need not find
    try:
        for child in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.suspend()
                stopped.append(child)
        yield
    finally:
        for process in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def _dead(pid: int, supervisor: int) -> Iterator[None]:
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
