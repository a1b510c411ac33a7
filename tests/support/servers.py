"""Real servers for tests, and databases that live for one test."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from linstock.embedded import EmbeddedNats, EmbeddedPostgres


@contextmanager
def running_postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def running_nats(home: Path) -> Iterator[EmbeddedNats]:
    """Ends by kill: nothing that a test leaves in NATS is read again."""
    server = EmbeddedNats(home)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield server.url_of(name)
    finally:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
