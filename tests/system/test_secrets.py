"""No secret is in any log of a running system, not of its libraries at debug level, not when everything fails."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from linstock.access import tokens
from linstock.embedded import EmbeddedPostgres
from tests.support.waiting import until

PASSWORD = "hunter2-of-the-database"


class Talkative:
    def __init__(self, data_dir: Path, database_url: str) -> None:
        self.data_dir = data_dir
        self._environment = {**os.environ, "NO_COLOR": "1", "LINSTOCK_DATABASE_URL": database_url}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.talkative_up", *words, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self._environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self) -> tuple[str, str]:
        """Its id and its secret."""
        made = json.loads(self.run("token", "create", "--role", "admin", "-o", "json"))
        return made["id"], made["token"]

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.data_dir.rglob("*.log*")))


@pytest.fixture
def database_url(own_postgres: EmbeddedPostgres) -> str:
    """With a password, which this server does not ask for."""
    return own_postgres.url.replace("postgresql://linstock@", f"postgresql://linstock:{PASSWORD}@")


@pytest.fixture
def talkative(tmp_path: Path, database_url: str) -> Iterator[Talkative]:
    talkative = Talkative(tmp_path / "data", database_url)
    yield talkative
    talkative.run("down")


def test_no_log_holds_a_secret(talkative: Talkative, own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    _, good = talkative.token()
    revoked_id, revoked = talkative.token()
    talkative.run("token", "revoke", revoked_id)
    unknown = tokens.new_secret()
    url = talkative.run("up", "--detach", "--require-token", "--port", "0", str(photos)).splitlines()[-1]
    state = talkative.data_dir / "state.json"
    assert state.stat().st_mode & 0o777 == 0o600
    nats_password = urlsplit(json.loads(state.read_text())["nats"]["url"]).password
    assert nats_password

    with httpx.Client(base_url=f"{url}/api/v1", timeout=20) as http:
        _ask(http, good, revoked, unknown)
        with psycopg.connect(own_postgres.url, autocommit=True) as connection:
            connection.execute("ALTER TABLE views.libraries RENAME COLUMN name TO called")
            assert http.get("/libraries", headers=_bearer(good)).status_code == 500
            connection.execute("ALTER TABLE views.libraries RENAME COLUMN called TO name")
        own_postgres.stop()
        until(lambda: http.get("/libraries", headers=_bearer(good)).status_code == 503, "PostgreSQL is away", 20)
        assert http.get(f"/whoami?token={good}", headers=_bearer(unknown)).status_code == 503
        own_postgres.start()
        until(lambda: http.get("/libraries", headers=_bearer(good)).status_code == 200, "it is back", 30)

    until(lambda: "Request failed" in talkative.logs(), "the failures are in the log")
    logs = talkative.logs()
    assert '"level": "debug"' in logs or "[debug" in logs  # or this would prove little
    for secret in (good, revoked, unknown, PASSWORD, nats_password):
        assert secret not in logs
        assert secret.removeprefix("linstock_") not in logs


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _ask(http: httpx.Client, good: str, revoked: str, unknown: str) -> None:
    """Tokens where they belong, and where people put them by mistake."""
    assert http.get("/whoami", headers=_bearer(good)).status_code == 200
    for secret in (revoked, unknown):
        assert http.get("/whoami", headers=_bearer(secret)).status_code == 401
    for secret in (good, revoked, unknown):
        assert http.get("/whoami", headers={"Authorization": f"Basic {secret}"}).status_code == 401
        assert http.get(f"/libraries?access_token={secret}").status_code == 401
        http.get(f"/libraries?access_token={secret}", headers=_bearer(good))
        http.get(f"/{secret}", headers=_bearer(good))
        http.get(f"/libraries/{secret}", headers=_bearer(good))
        mistaken = {"Idempotency-Key": secret, "Linstock-Position": secret, "Cookie": f"token={secret}"}
        http.post("/libraries", json={"name": "A", "path": "/x"}, headers={**_bearer(good), **mistaken})
        http.post("/libraries", json={"name": secret, "path": secret}, headers=_bearer(good))
        http.post("/libraries", content=secret, headers=_bearer(good))
        http.request(f"GET{secret[:4]}", "/libraries", headers=_bearer(good))
