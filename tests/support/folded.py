"""Read models without a database: rows as one would hold them, folded batch by batch."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.projection.fact import Fact
from services.projection.rows import Rows
from services.projection.tables import Tables


def asked_for(rows: Rows[Any], stored: Iterable[Any], keys: set[object]) -> list[Any]:
    """Of the stored rows those that have one of the keys, or whose first key column is one."""

    def key(row: Any) -> tuple[object, ...]:
        return tuple(getattr(row, column) for column in rows.key_columns)

    return [row for row in stored if key(row) in keys or key(row)[0] in keys]


class Folded:
    """As a database would hold it: each batch loads what it asks for, and nothing else."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Any]] = {}
        self.sums: dict[str, dict[Any, list[int]]] = {}

    def apply(self, facts: list[Fact]) -> None:
        tables = Tables()
        for rows, keys in tables.reads(facts):
            rows.loaded(asked_for(rows, self.rows.get(rows.table, {}).values(), keys))
        tables.fold(facts)
        for rows in tables.all():
            for row in rows.changed():
                key = tuple(getattr(row, column) for column in rows.key_columns)
                self.rows.setdefault(rows.table, {})[key] = row
        for sums in tables.sums():
            for row in sums.changed():
                values = msgspec.structs.astuple(row)
                known = self.sums.setdefault(sums.table, {})
                key, amounts = values[: len(sums.key_columns)], values[len(sums.key_columns) :]
                known[key] = [a + b for a, b in zip(known.get(key, [0] * len(amounts)), amounts, strict=True)]
