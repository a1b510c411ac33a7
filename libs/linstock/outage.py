"""What people are told when PostgreSQL or NATS is away: which of them, in a few words, never the name of a class."""

import asyncpg
import nats.errors
from nats.js.errors import APIError

POSTGRES_AWAY = "PostgreSQL does not answer"
NATS_AWAY = "NATS does not answer"
NO_ROOM = "PostgreSQL has no room on its disk"

_POSTGRES = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a server that died while it was being connected to
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    # A bare one is of a connection over the Unix socket: nats-py has its own.
    OSError,
    TimeoutError,
)


def plain(error: BaseException) -> str:
    """One line for readiness and logs. What is neither of the two being away keeps its own words."""
    match error:
        case APIError():
            return f"JetStream refuses: {error.description or error.code}"
        case nats.errors.Error():
            return NATS_AWAY
        case asyncpg.DiskFullError():
            return NO_ROOM
        case _ if isinstance(error, _POSTGRES):
            return POSTGRES_AWAY
        case _:
            return " ".join(str(error).split()) or type(error).__name__


async def postgres_problem(pool: asyncpg.Pool, *, within_s: float = 0.8) -> str | None:
    """Whether a pool's server answers; a sentence when it does not."""
    try:
        await pool.fetchval("SELECT 1", timeout=within_s)
    except Exception as error:  # asyncpg raises more than it says
        return plain(error)
    return None
