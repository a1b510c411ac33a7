"""What views fold over: rows by key, and which of them changed. Pure.

A row is a frozen Struct whose fields are its table's columns, in order.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Generic, TypeVar

from msgspec import Struct

R = TypeVar("R", bound=Struct)


class Rows(Generic[R]):
    """The rows of one table that a batch of events may read, and those it changed."""

    def __init__(self, table: str, row: type[R], *, key: tuple[str, ...]) -> None:
        self.table = table
        self.row = row
        self.key_columns = key
        self._key: Callable[[R], Any] = attrgetter(*key)
        self._known: dict[Any, R] = {}
        self._changed: dict[Any, R] = {}

    def get(self, key: object) -> R | None:
        """None when there is no such row, or when the view did not name `key` in its `reads`."""
        return self._known.get(key)

    def put(self, row: R) -> None:
        key = self._key(row)
        self._known[key] = self._changed[key] = row

    def loaded(self, rows: Iterable[R]) -> None:
        """Rows as they are stored."""
        for row in rows:
            self._known[self._key(row)] = row

    def changed(self) -> list[R]:
        return list(self._changed.values())


class Added(Rows[R]):
    """Rows that are only ever added, each once: nothing looks at them again while events are folded."""

    def __init__(self, table: str, row: type[R], *, key: tuple[str, ...]) -> None:
        super().__init__(table, row, key=key)
        self._added: list[R] = []

    def put(self, row: R) -> None:
        self._added.append(row)

    def changed(self) -> list[R]:
        return self._added
