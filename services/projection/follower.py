"""The live projection as a service: one active process at a time, others stand by; what fails is tried again.

The lock is held by the very connection that writes the rows: who has lost the lock can't write either.
"""

import asyncio
import contextlib

import asyncpg
import nats.errors
import structlog
from nats.aio.client import Client
from nats.js.errors import APIError

from linstock.bus.connection import close, connect
from linstock.bus.envelope import BadEnvelope
from linstock.bus.pull import Silent
from linstock.cancellation import cancel
from linstock.migrations import advisory_key
from linstock.outage import plain
from services.projection import metrics, schema
from services.projection.fact import Poison
from services.projection.schema import VIEWS, Connection
from services.projection.scratch import BrokenChain
from services.projection.session import Session, StillBroken

logger = structlog.get_logger(__name__)

STANDBY_LOOKS_EVERY_S = 0.5
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 2.0
LAST_RETRY_STOPPED_S = 30.0

# Only a person, or another version, can mend these.
_STOPS = (Poison, BadEnvelope, BrokenChain, StillBroken)
_AWAY = (
    OSError,
    TimeoutError,
    nats.errors.Error,
    APIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a server that died while it was being connected to
    Silent,
)


class Follower:
    """Follows EVENTS from `start` to `stop`. `problem` is a sentence while the read models can't be kept up."""

    def __init__(self, database_url: str, nats_url: str) -> None:
        self._database_url = database_url
        self._nats_url = nats_url
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._retry_s = FIRST_RETRY_S
        self._stopped = False
        self.problem: str | None = "starting"
        self.active = False

    async def start(self) -> None:
        self._client = await connect(self._nats_url, "linstock-projection")
        self._task = asyncio.create_task(self._follow(self._client))

    async def stop(self) -> None:
        """Safe to call twice. A transaction in flight is rolled back, or was committed and its events come again."""
        task, self._task = self._task, None
        if task:
            await cancel(task)
        client, self._client = self._client, None
        if client:
            await close(client)

    async def _follow(self, client: Client) -> None:
        while True:
            try:
                await self._hold_and_run(client)
            except _STOPS as error:
                metrics.STOPPED.set(1)
                self._stopped = True
                self._trouble(error, "The projection stops here: read models stay as they are", LAST_RETRY_STOPPED_S)
            except _AWAY as error:
                self._trouble(error, "The projection waits", LAST_RETRY_S)
            except Exception as error:
                logger.exception("The projection failed")
                self._trouble(error, "The projection failed", LAST_RETRY_STOPPED_S)
            await asyncio.sleep(self._retry_s)

    async def _hold_and_run(self, client: Client) -> None:
        connection = await schema.connect(self._database_url)
        try:
            await self._wait_for_turn(connection)
            self.active = True
            session = Session(
                connection, client, database_url=self._database_url, on_open=self._opened, on_progress=self._well
            )
            await session.run()
        finally:
            self.active = False
            with contextlib.suppress(*_AWAY):
                await connection.close(timeout=2)

    async def _wait_for_turn(self, connection: Connection) -> None:
        # Waiting inside Postgres would hold a snapshot open and keep vacuum from its work.
        key = advisory_key("projection", VIEWS)
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            self._well()  # standing by is nothing to repair
            await asyncio.sleep(STANDBY_LOOKS_EVERY_S)

    def _opened(self) -> None:
        if not self._stopped:  # what stopped it is still ahead: listening again mends nothing
            self._well()

    def _well(self) -> None:
        self._stopped = False
        self.problem = None
        self._retry_s = FIRST_RETRY_S

    def _trouble(self, error: Exception, what: str, last_retry_s: float) -> None:
        reason = plain(error)
        self._retry_s = min(self._retry_s * 2, last_retry_s)
        if reason != self.problem or self._stopped:  # what is away is said once, not at each attempt
            logger.error(what, reason=reason, error=repr(error), retry_in_s=self._retry_s)
        self.problem = reason
