"""A database whose Postgres clock can be set, as a system clock is: all sessions that begin afterwards see it."""

from datetime import timedelta

import psycopg
from psycopg.conninfo import conninfo_to_dict

_SETUP = """
CREATE SCHEMA stepped;
CREATE TABLE stepped.step (by interval NOT NULL);
INSERT INTO stepped.step VALUES ('0');
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM stepped.step';
"""


class SteppedClock:
    """Make it before anything else connects: a function found before pg_catalog's own takes its place."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(_SETUP)
            name = conninfo_to_dict(database_url)["dbname"]
            connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, stepped, pg_catalog'.encode())

    def step(self, by: timedelta) -> None:
        """By so much more, at once."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("UPDATE stepped.step SET by = by + %s", (by,))

    def follow(self, schema: str) -> None:
        """A function that was made with a search path of its own sees the clock from now on as well."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                f"ALTER FUNCTION {schema}.check_append SET search_path = {schema}, stepped, pg_catalog".encode()
            )
