"""Read models without a database: rows as one would hold them, folded batch by batch."""

from typing import Any

import msgspec

from services.projection.fact import Fact
from services.projection.tables import Tables


class Folded:
    """As a database would hold it: each batch loads what it asks for, and nothing else."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Any]] = {}
        self.sums: dict[str, dict[Any, list[int]]] = {}

    def apply(self, facts: list[Fact]) -> None:
        tables = Tables()
        for rows, keys in tables.reads(facts):
            first = rows.key_columns[0]
            stored = self.rows.get(rows.table, {}).values()
            rows.loaded([row for row in stored if getattr(row, first) in keys])
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
