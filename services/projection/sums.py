"""Counters that views add to, without knowing what they stand at. Pure.

A row is a frozen Struct whose fields are its table's columns, in order: first the key, then what is summed. A row
whose sums are all 0 is no row, so that it does not matter whether something came and went in one batch or in two.
"""

from typing import Any, Generic, TypeVar

from msgspec import Struct

R = TypeVar("R", bound=Struct)


class Sums(Generic[R]):
    """What a batch of events adds to the counters of one table."""

    def __init__(self, table: str, row: type[R], *, key: tuple[str, ...]) -> None:
        self.table = table
        self.row = row
        self.key_columns = key
        self.sum_columns = row.__struct_fields__[len(key) :]
        self._added: dict[tuple[Any, ...], list[int]] = {}

    def add(self, key: tuple[Any, ...], *amounts: int) -> None:
        """One amount, possibly negative, for each summed column."""
        added = self._added.get(key)
        if added is None:
            self._added[key] = list(amounts)
            return
        for index, amount in enumerate(amounts):
            added[index] += amount

    def changed(self) -> list[R]:
        return [self.row(*key, *amounts) for key, amounts in self._added.items() if any(amounts)]
