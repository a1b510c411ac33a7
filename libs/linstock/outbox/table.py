"""The tables of an outbox, and the statements on them."""

import re

from msgspec import Struct

NAME = "linstock_outbox"
CHANNEL = "linstock_outbox"
"""What relays listen on, whatever the table is called."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")


class BadName(ValueError):
    """{name!r} is no name here: lower-case letters, digits and _, at most 48, no digit first."""

    def __init__(self, name: str) -> None:
        super().__init__((self.__doc__ or "").format(name=name))
        self.name = name


class Table(Struct, frozen=True):
    """`schema`: by default the first of the connection's search path. Raises BadName."""

    name: str = NAME
    schema: str | None = None

    def __post_init__(self) -> None:
        for name in (self.name, *((self.schema,) if self.schema is not None else ())):
            if not _NAME.fullmatch(name):
                raise BadName(name)

    @property
    def rows(self) -> str:
        return self._named(self.name)

    @property
    def refused(self) -> str:
        return self._named(f"{self.name}_refused")

    def _named(self, name: str) -> str:
        return f'"{name}"' if self.schema is None else f'"{self.schema}"."{name}"'

    @property
    def ddl(self) -> str:
        """May be run again and again."""
        # json, not jsonb: it keeps what it is given byte by byte, so that each time a row is relayed it is the very
        # same command; and it takes \u0000.
        return f"""\
CREATE TABLE IF NOT EXISTS {self.rows} (
    id uuid PRIMARY KEY,
    workspace text NOT NULL,
    wanted json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    asked_at timestamptz
);
CREATE INDEX IF NOT EXISTS "{self.name}_created" ON {self.rows} (created_at);
CREATE TABLE IF NOT EXISTS {self.refused} (
    id uuid PRIMARY KEY,
    workspace text NOT NULL,
    wanted json NOT NULL,
    created_at timestamptz NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL,
    reason text NOT NULL
);
"""

    def insert(self, row_id: str, workspace: str, wanted: str) -> str:
        """With placeholders as the driver has them. One statement, so one round trip. All parameters are texts: an
        application may have told its driver to encode uuid and json otherwise."""
        return (
            f"WITH kept AS (INSERT INTO {self.rows} (id, workspace, wanted) VALUES (CAST(CAST({row_id} AS text) AS"  # noqa: S608
            f" uuid), CAST({workspace} AS text), CAST(CAST({wanted} AS text) AS json)))"
            f" SELECT pg_notify('{CHANNEL}', '')"
        )
