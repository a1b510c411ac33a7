"""`Outbox`: where an application writes down, in its own transaction, which jobs it wants."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec.structs import replace

from linstock import names
from linstock.jobs.client import ACTOR
from linstock.jobs.definition import Job, Seconds, seconds
from linstock.messages.enqueue import WantedJob
from linstock.outbox import writing
from linstock.outbox.table import NAME, Table


class Outbox:
    """One table, for one workspace. `schema` is by default the first of the connection's search path.

    `connection` is that of the application: of asyncpg, psycopg (async) or SQLAlchemy (AsyncConnection, AsyncSession);
    for the methods that end in `_sync` of psycopg or SQLAlchemy (Connection, Session). It is written to within the
    transaction that is open there, and neither committed nor rolled back: the job exists exactly if that commits, some
    milliseconds later, once a relay has handed it over.

    Every method returns the id that the job will have. It raises NoConnection, BadParameters and PayloadTooLarge before
    anything is written, and what the driver raises. Options go by `job.using(…)`, as for Client.
    """

    def __init__(
        self, *, workspace: str = names.DEFAULT_WORKSPACE, schema: str | None = None, table: str = NAME
    ) -> None:
        """Raises BadName."""
        self._workspace = workspace
        self._table = Table(table, schema)

    @property
    def ddl(self) -> str:
        """What creates its tables; may be run again and again."""
        return self._table.ddl

    async def enqueue(self, connection: Any, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        """To be run as soon as a worker is free."""
        return await self._write(connection, job.wanted(args, kwargs))

    async def delay(self, connection: Any, by: Seconds, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        """As `enqueue`, but not before so many seconds have passed since Linstock was handed the job, on its clock."""
        return await self._write(connection, _delayed(job.wanted(args, kwargs), by))

    async def at(self, connection: Any, when: datetime, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        """As `enqueue`, but not before `when` (aware); at once when that has passed."""
        return await self._write(connection, _not_before(job.wanted(args, kwargs), when))

    def enqueue_sync(self, connection: Any, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        return self._write_sync(connection, job.wanted(args, kwargs))

    def delay_sync(self, connection: Any, by: Seconds, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        return self._write_sync(connection, _delayed(job.wanted(args, kwargs), by))

    def at_sync(self, connection: Any, when: datetime, job: Job[..., Any], /, *args: Any, **kwargs: Any) -> UUID:
        return self._write_sync(connection, _not_before(job.wanted(args, kwargs), when))

    async def _write(self, connection: Any, wanted: WantedJob) -> UUID:
        row_id = uuid4()
        await writing.write(connection, self._table, (str(row_id), self._workspace, _written(wanted)))
        return job_of(self._workspace, row_id)

    def _write_sync(self, connection: Any, wanted: WantedJob) -> UUID:
        row_id = uuid4()
        writing.write_sync(connection, self._table, (str(row_id), self._workspace, _written(wanted)))
        return job_of(self._workspace, row_id)


def job_of(workspace: str, row_id: UUID) -> UUID:
    """The job that a row becomes: its id is the idempotency key of the command."""
    return names.job_of_command(names.command_of(names.SCHEDULER, workspace, ACTOR, str(row_id)), 0)


def _written(wanted: WantedJob) -> str:
    return msgspec.json.encode(wanted).decode()


def _delayed(wanted: WantedJob, by: Seconds) -> WantedJob:
    return replace(wanted, delay_s=seconds(by))


def _not_before(wanted: WantedJob, when: datetime) -> WantedJob:
    if when.tzinfo is None:
        raise ValueError("`when` needs a time zone")
    return replace(wanted, not_before=when.astimezone(UTC))
