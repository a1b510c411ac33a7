"""Each kind of connection that an application may have, in a transaction that it ends itself."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

import asyncpg
import psycopg
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from linstock import Job, outbox

Enqueue = Callable[..., Awaitable[UUID]]
"""Takes a job and its parameters."""
Transaction = Callable[[str], AbstractAsyncContextManager[Enqueue]]
"""Of the database at that URL. Commits at the end of the block, or is rolled back by what is raised there."""


def _by(connection: object) -> Enqueue:
    async def enqueue(job: Job[..., object], *args: object) -> UUID:
        return await outbox.enqueue(connection, job, *args)

    return enqueue


def _sync_by(connection: object) -> Enqueue:
    async def enqueue(job: Job[..., object], *args: object) -> UUID:
        return outbox.enqueue_sync(connection, job, *args)

    return enqueue


@asynccontextmanager
async def asyncpg_connection(url: str) -> AsyncIterator[Enqueue]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            yield _by(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def asyncpg_pool(url: str) -> AsyncIterator[Enqueue]:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        yield _by(connection)


@asynccontextmanager
async def psycopg_async(url: str) -> AsyncIterator[Enqueue]:
    connection = await psycopg.AsyncConnection.connect(url, cursor_factory=psycopg.AsyncRawCursor)
    async with connection:
        yield _by(connection)


@asynccontextmanager
async def psycopg_sync(url: str) -> AsyncIterator[Enqueue]:
    with psycopg.connect(url) as connection:
        yield _sync_by(connection)


def sqlalchemy_async(driver: str) -> Transaction:
    @asynccontextmanager
    async def begun(url: str) -> AsyncIterator[Enqueue]:
        engine = create_async_engine(_for(url, driver), poolclass=NullPool)
        async with engine.begin() as connection:
            yield _by(connection)

    return begun


@asynccontextmanager
async def sqlalchemy_async_session(url: str) -> AsyncIterator[Enqueue]:
    engine = create_async_engine(_for(url, "psycopg"), poolclass=NullPool)
    async with AsyncSession(engine) as session, session.begin():
        yield _by(session)


@asynccontextmanager
async def sqlalchemy_connection(url: str) -> AsyncIterator[Enqueue]:
    with create_engine(_for(url, "psycopg"), poolclass=NullPool).begin() as connection:
        yield _sync_by(connection)


@asynccontextmanager
async def sqlalchemy_session(url: str) -> AsyncIterator[Enqueue]:
    with Session(create_engine(_for(url, "psycopg"), poolclass=NullPool)) as session, session.begin():
        yield _sync_by(session)


def _for(url: str, driver: str) -> str:
    return url.replace("postgresql://", f"postgresql+{driver}://", 1)


EVERY: dict[str, Transaction] = {
    "asyncpg": asyncpg_connection,
    "asyncpg pool": asyncpg_pool,
    "psycopg": psycopg_sync,
    "psycopg async": psycopg_async,
    "SQLAlchemy AsyncConnection on asyncpg": sqlalchemy_async("asyncpg"),
    "SQLAlchemy AsyncConnection on psycopg": sqlalchemy_async("psycopg"),
    "SQLAlchemy AsyncSession": sqlalchemy_async_session,
    "SQLAlchemy Connection": sqlalchemy_connection,
    "SQLAlchemy Session": sqlalchemy_session,
}
