"""What a relay does with the rows of an outbox. Needs asyncpg."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from linstock.outbox.table import Table


class Row(Struct, frozen=True):
    id: UUID
    workspace: str
    wanted: bytes
    """As the application has written it."""


class Rows:
    """All within one `transaction`, which keeps other relays away from what it has taken."""

    def __init__(self, connection: "asyncpg.Connection[Any]", table: Table) -> None:
        self._connection = connection
        self._table = table

    def transaction(self) -> AbstractAsyncContextManager[object]:
        return self._connection.transaction()

    async def take(self, limit: int, *, asked_before: timedelta) -> list[Row]:
        """The oldest that no other relay has, without those that were asked about since `asked_before` ago and have
        had no answer yet. There is no position to go on from: rows become visible in the order of their commits, which
        no column has."""
        found = await self._connection.fetch(
            f"SELECT id, workspace, wanted::text FROM {self._table.rows}"  # noqa: S608
            " WHERE asked_at IS NULL OR asked_at <= now() - $2::interval"
            " ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED",
            limit,
            asked_before,
        )
        return [Row(row["id"], row["workspace"], row["wanted"].encode()) for row in found]

    async def remove(self, rows: Sequence[Row]) -> None:
        await self._connection.execute(
            f"DELETE FROM {self._table.rows} WHERE id = ANY($1::uuid[])",  # noqa: S608
            [row.id for row in rows],
        )

    async def put_off(self, rows: Sequence[Row]) -> None:
        await self._connection.execute(
            f"UPDATE {self._table.rows} SET asked_at = now() WHERE id = ANY($1::uuid[])",  # noqa: S608
            [row.id for row in rows],
        )

    async def set_aside(self, row: Row, code: str, reason: str) -> None:
        await self._connection.execute(
            f"WITH gone AS (DELETE FROM {self._table.rows} WHERE id = $1 RETURNING id, workspace, wanted, created_at)"  # noqa: S608
            f" INSERT INTO {self._table.refused} (id, workspace, wanted, created_at, code, reason)"
            " SELECT id, workspace, wanted, created_at, $2, $3 FROM gone"
            " ON CONFLICT (id) DO UPDATE SET refused_at = now(), code = excluded.code, reason = excluded.reason",
            row.id,
            code,
            reason,
        )
