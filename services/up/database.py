"""The PostgreSQL of a data directory, whether Linstock runs on it or not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from linstock.embedded import DataDir, EmbeddedPostgres
from services.up import state

VARIABLE = "LINSTOCK_DATABASE_URL"


def given() -> str | None:
    """A server of one's own."""
    return os.environ.get(VARIABLE) or None


def exists(data: DataDir) -> bool:
    """Whether there is a database that may hold something."""
    return given() is not None or (data.postgres / "data" / "PG_VERSION").exists()


@contextmanager
def reachable(data: DataDir) -> Iterator[str]:
    """The URL of LINSTOCK_DATABASE_URL, or else of what runs there; or else the embedded server runs for as long as
    this is open, under the directory's lock.

    Raises what starting raises: AlreadyRunning, ServerFailed, NetworkFileSystem, …
    """
    running = state.running(data)
    if url := given() or (running.postgres.url if running and running.postgres else None):
        yield url
        return
    data.prepare()
    held = state.take(data)
    server = EmbeddedPostgres(data.postgres)
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        os.close(held)
