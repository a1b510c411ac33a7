"""A rebuild or verification from the command line: finds the servers, works, and leaves."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import msgspec
import nats.errors
from msgspec import Struct
from nats.js.errors import APIError

from linstock.bus.connection import close, connect_once
from linstock.bus.envelope import BadEnvelope
from linstock.bus.pull import Silent
from linstock.cli.exits import Ended, Exit
from services.projection import rebuild
from services.projection.fact import Poison
from services.projection.rebuild import Comparison, RebuildRuns
from services.projection.scratch import BrokenChain, EventsBehind, Progress


class NotRunning(Ended):
    """Nothing runs on {data_dir}. Start it with `linstock up`, or set LINSTOCK_DATABASE_URL and LINSTOCK_NATS_URL."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__((self.__doc__ or "").format(data_dir=data_dir), Exit.UNREACHABLE)
        self.data_dir = data_dir


OTHER_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2

FAILURES = (
    RebuildRuns,
    BrokenChain,
    EventsBehind,
    Poison,
    BadEnvelope,
    Silent,
    OSError,
    TimeoutError,
    nats.errors.Error,
    APIError,
    asyncpg.PostgresError,
)


class _Server(Struct):
    url: str


class _State(Struct):
    nats: _Server | None = None
    postgres: _Server | None = None


async def run(data_dir: Path, what: str, report: Callable[[Progress], None]) -> Comparison:
    """`what` is rebuild | verify. Waits a minute for another one: after `events republish` the live projection builds
    everything again by itself. Raises FAILURES, and NotRunning."""
    database_url, nats_url = servers(os.environ, data_dir)
    client = await connect_once(nats_url, f"linstock-projection-{what}")
    try:
        work = rebuild.rebuild if what == "rebuild" else rebuild.verify
        until = time.monotonic() + OTHER_WITHIN_S
        while True:
            try:
                return await work(database_url, client, report)
            except RebuildRuns:
                if time.monotonic() >= until:
                    raise
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await close(client)


def servers(environment: Mapping[str, str], data_dir: Path) -> tuple[str, str]:
    """The URLs of Postgres and NATS. Raises NotRunning."""
    state = _state(data_dir)
    database_url = environment.get("LINSTOCK_DATABASE_URL") or (state.postgres.url if state.postgres else "")
    nats_url = environment.get("LINSTOCK_NATS_URL") or (state.nats.url if state.nats else "")
    if not database_url or not nats_url:
        raise NotRunning(data_dir)
    return database_url, nats_url


def _state(data_dir: Path) -> _State:
    try:
        return msgspec.json.decode((data_dir / "state.json").read_bytes(), type=_State)
    except (OSError, msgspec.DecodeError):
        return _State()
