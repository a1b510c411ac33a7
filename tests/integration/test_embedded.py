import os
import stat
from pathlib import Path

import nats
import psycopg
import pytest

from linstock.embedded import EmbeddedNats, EmbeddedPostgres


def test_database_is_fresh_and_durable(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        answer = connection.execute("SELECT current_setting('fsync'), count(*) FROM pg_tables WHERE schemaname='public'")
        assert answer.fetchone() == ("on", 0)


async def test_nats_takes_only_its_credential(nats_server: EmbeddedNats) -> None:
    connection = await nats.connect(nats_server.url)
    assert connection.max_payload >= 1024 * 1024
    await connection.close()
