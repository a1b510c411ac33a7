"""NATS and PostgreSQL: whether they are up, which they are, and whether their clock is ours."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from urllib.request import urlopen

import asyncpg
import nats.errors

from linstock.bus.connection import close, connect_once
from linstock.eventlog.history import History, logs_in
from services.up.doctor.finding import Finding, failed, ok, warning
from services.up.state import State

TIMEOUT_S = 3.0
OLDEST_POSTGRES = 14
OLDEST_NATS = (2, 12)
LARGEST_OFFSET_S = 1.0
LARGEST_LAG = 10_000
_POSITION = re.compile(rb'^linstock_projection_position\{log="([^"]+)"\} (\S+)$', re.MULTILINE)
_STOPPED = re.compile(rb"^linstock_projection_stopped 1", re.MULTILINE)


async def look(postgres_url: str, nats_url: str, state: State | None) -> AsyncIterator[Finding]:
    """`state` is of what runs; None when only the servers are known."""
    try:
        connection = await asyncpg.connect(postgres_url, timeout=TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        yield failed(
            "postgres", f"not reachable: {_sentence(error)}", "See logs/linstock.log and postgres/postgres.log."
        )
    else:
        try:
            yield _postgres(connection.get_server_version().major)
            yield await _clock(connection)
            if state is not None and "projection" in state.services:
                yield await _lag(connection, state.services["projection"].probe)
        finally:
            await connection.close(timeout=TIMEOUT_S)
    yield await _nats(nats_url)


def _postgres(major: int) -> Finding:
    if major < OLDEST_POSTGRES:
        return failed("postgres", f"version {major}", f"Linstock needs {OLDEST_POSTGRES} or newer.")
    return ok("postgres", f"version {major}")


async def _nats(url: str) -> Finding:
    try:
        client = await connect_once(url, "linstock-doctor")
    except (OSError, nats.errors.Error, TimeoutError) as error:
        return failed("nats", f"not reachable: {_sentence(error)}", "See logs/linstock.log and nats/nats.log.")
    try:
        version = client.connected_server_version
        if (version.major, version.minor) < OLDEST_NATS:
            oldest = ".".join(map(str, OLDEST_NATS))
            return failed("nats", f"version {version.major}.{version.minor}", f"Linstock needs {oldest} or newer.")
        return ok("nats", f"version {version.major}.{version.minor}.{version.patch}")
    finally:
        await close(client)


async def _clock(connection: asyncpg.Connection) -> Finding:
    """Schedules follow Postgres's clock; people look at this machine's."""
    before = time.time()
    theirs = (await connection.fetchval("SELECT clock_timestamp()")).timestamp()
    offset = theirs - (before + time.time()) / 2
    found = f"Postgres's is {abs(offset) * 1000:.0f} ms {'ahead' if offset > 0 else 'behind'}"
    if abs(offset) > LARGEST_OFFSET_S:
        return warning("clock", found, "Schedules follow Postgres's clock: let NTP set both.")
    return ok("clock", found)


async def _lag(connection: asyncpg.Connection, probe: str) -> Finding:
    """How many events the read models do not show yet."""
    try:
        with urlopen(f"{probe}/metrics", timeout=TIMEOUT_S) as answer:  # noqa: S310, ASYNC210 - our own loopback port; nothing else runs here
            metrics: bytes = answer.read()
    except OSError as error:
        return failed("read models", f"the projection does not answer: {_sentence(error)}", "See: linstock logs")
    if _STOPPED.search(metrics):
        return failed("read models", "stopped", "Its reason is in: linstock status. Then: linstock projection rebuild")
    shown = {log.decode(): int(float(position)) for log, position in _POSITION.findall(metrics)}
    behind = await _behind(connection, shown)
    found = ", ".join(f"{log} {count:,}" for log, count in behind.items() if count) or "none"
    if max(behind.values(), default=0) > LARGEST_LAG:
        return warning("read models", f"events behind: {found}", "It catches up; if it does not: linstock logs")
    return ok("read models", f"events behind: {found}")


async def _behind(connection: asyncpg.Connection, shown: Mapping[str, int]) -> dict[str, int]:
    return {log: await History(connection, log).count(shown.get(log, 0)) for log in await logs_in(connection)}


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
