"""Fixtures that every test may use. Servers are real; each test gets its own database and its own NATS."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from linstock.embedded import EmbeddedNats, EmbeddedPostgres
from tests.support.servers import fresh_database, running_nats, running_postgres

# How long an example takes says something of the machine, not of the code.
settings.register_profile("linstock", deadline=None)
settings.load_profile("linstock")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Shared by the whole run: do not stop or kill it (take `own_postgres` for that)."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """An empty database of this test's own."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own (takes a second): it may be stopped, killed and started again."""
    with running_postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        yield server


@pytest.fixture
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNats]:
    """An empty nats-server of this test's own (takes 0.1 s): it may be killed and started again."""
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def nats_url(nats_server: EmbeddedNats) -> str:
    """With the credential inside."""
    return nats_server.url
