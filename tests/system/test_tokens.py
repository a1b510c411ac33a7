"""`linstock token` as a person uses it, whether anything runs or not."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from linstock.access import tokens
from linstock.access.store import TokenStore
from linstock.access.tokens import Token
from linstock.embedded import DataDir
from services.up import state

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


@pytest.fixture
def linstock(data_dir: Path) -> Iterator[Run]:
    """`linstock WORDS… --data-dir DIR`, over services that do nothing; whatever it left running is stopped."""

    def run(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tests.support.dummy_up", *map(str, words), "--data-dir", str(data_dir)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1", **environment},
        )

    yield run
    run("down")


def find(database_url: str, secret: str) -> Token | None:
    async def look() -> Token | None:
        connection = await asyncpg.connect(database_url)
        try:
            return await TokenStore(connection).find(secret)
        finally:
            await connection.close()

    return asyncio.run(look())


def test_where_nothing_runs_a_token_is_made_and_nothing_is_left_running(linstock: Run, data_dir: Path) -> None:
    made = linstock("token", "create", "--role", "admin")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.removesuffix("\n")
    assert tokens.is_secret(secret)
    assert secret not in made.stderr
    assert state.holder(DataDir(data_dir)) is None
    assert not (data_dir / "postgres" / "data" / "postmaster.pid").exists()
    (listed,) = json.loads(linstock("token", "ls", "-o", "json").stdout)
    assert (listed["name"], listed["role"], listed["workspace"], listed["usable"]) == (
        "admin",
        "admin",
        "default",
        True,
    )
    assert secret.removeprefix("linstock_") not in json.dumps(listed)


def test_made_while_it_runs_it_is_there_afterwards_too(linstock: Run) -> None:
    assert linstock("up", "--detach", "--port", "0").returncode == 0
    made = json.loads(
        linstock(
            "token", "create", "--role", "viewer", "--workspace", "team-a", "--name", "graf", "--expires", "90d",
            "-o", "json",
        ).stdout
    )  # fmt: skip
    assert tokens.is_secret(made["token"])
    assert (made["actor"], made["workspace"]) == (f"token:graf/{made['id'][:8]}", "team-a")
    linstock("down")
    lines = linstock("token", "ls", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [made["id"]]
    shown = linstock("token", "ls").stdout.splitlines()
    assert len(shown) == 2
    assert shown[1].split()[:4] == [made["id"][:8], "graf", "viewer", "team-a"]


def test_a_database_of_ones_own_goes_first(linstock: Run, data_dir: Path, database_url: str) -> None:
    made = linstock("token", "create", "--role", "operator", LINSTOCK_DATABASE_URL=database_url)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    token = find(database_url, secret)
    assert token
    assert token.role == "operator"
    assert not data_dir.exists()
    revoked = linstock("token", "revoke", token.short_id, LINSTOCK_DATABASE_URL=database_url)
    assert (revoked.returncode, revoked.stdout) == (0, "")
    assert find(database_url, secret) is None
    assert linstock("token", "ls", "-o", "json", LINSTOCK_DATABASE_URL=database_url).stdout == "[]\n"
    (listed,) = json.loads(linstock("token", "ls", "--all", "-o", "json", LINSTOCK_DATABASE_URL=database_url).stdout)
    assert listed["revokedBy"].startswith("os:")


def test_looking_makes_no_data_directory(linstock: Run, data_dir: Path) -> None:
    assert linstock("token", "ls", "-o", "json").stdout == "[]\n"
    assert linstock("token", "revoke", "12345678").returncode == 4
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("create",), "Missing option '--role'"),
        (("create", "--role", "root"), "'root' is not one of"),
        (("create", "--role", "admin", "--workspace", "a.b"), "A workspace's name has"),
        (("create", "--role", "admin", "--workspace", ">"), "A workspace's name has"),
        (("create", "--role", "admin", "--name", "a b"), "A token's name has"),
        (("create", "--role", "admin", "--expires", "0d"), "is no time such as"),
        (("create", "--role", "admin", "--expires", "999999w"), "is no time such as"),
        (("create", "--role", "admin", "--expires", "soon"), "is no time such as"),
        (("ls", "-o", "xml"), "'xml' is not one of"),
        (("revoke",), "Missing argument 'ID'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    linstock: Run, database_url: str, words: tuple[str, ...], sentence: str
) -> None:
    refused = linstock("token", *words, LINSTOCK_DATABASE_URL=database_url)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert refused.stdout == ""
    assert json.loads(linstock("token", "ls", "--all", "-o", "json", LINSTOCK_DATABASE_URL=database_url).stdout) == []


def test_a_database_that_is_away_is_named_without_its_password(linstock: Run) -> None:
    away = linstock("token", "ls", LINSTOCK_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x?password=hunter3")
    assert away.returncode == 3
    assert "PostgreSQL can't be reached" in away.stderr
    assert "hunter" not in away.stderr
