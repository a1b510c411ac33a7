"""The embedded servers: private, durable, and startable again after anything."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import nats
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from linstock.embedded import DataDir, EmbeddedNats, EmbeddedPostgres, NewerDataDir
from linstock.embedded.socketdir import MAX_PATH_BYTES
from tests.support import ordinary_user
from tests.support.servers import running_nats, running_postgres
from tests.support.waiting import until


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start_elsewhere(folder: Path, *words: str) -> list[int]:
    """Start both in a process of their own; what it printed: uid, NATS pid, Postgres pid, number of the start."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.embedded_trial", str(folder), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_commits_are_synced_and_nothing_listens_on_tcp(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        names = ("fsync", "synchronous_commit", "listen_addresses", "server_version")
        values = [connection.execute(b"SHOW " + name.encode()).fetchone() for name in names]
    assert values[:3] == [("on",), ("on",), ("",)]
    assert values[3] is not None
    assert values[3][0].startswith("18")


def test_the_socket_is_private(own_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        row = connection.execute("SHOW unix_socket_directories").fetchone()
    assert row is not None
    assert mode(Path(row[0].strip('"'))) == 0o700


async def test_nats_takes_a_large_message(nats_server: EmbeddedNats) -> None:
    client = await nats.connect(nats_server.url)
    assert client.max_payload >= 1024 * 1024
    await client.close()


def test_nats_refuses_a_stranger(nats_server: EmbeddedNats) -> None:
    # Spoken by hand: the client leaves its socket open when it is refused.
    port = int(nats_server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger, stranger.makefile("rb") as answers:
        assert answers.readline().startswith(b"INFO")
        stranger.sendall(b'CONNECT {"user":"linstock","pass":"guess","verbose":false}\r\nPING\r\n')
        assert b"Authorization Violation" in answers.readline()


def test_credentials_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    with running_nats(tmp_path / "nats"):
        assert {mode(tmp_path / "nats" / name) for name in ("nats.conf", "credential")} == {0o600}


def test_the_address_survives_a_kill(tmp_path: Path) -> None:
    with running_nats(tmp_path / "nats") as server:
        before = server.url
        server.kill()
        server.start()
        assert server.url == before


def test_what_was_committed_survives_a_kill(own_postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    own_postgres.kill()
    own_postgres.start()
    with psycopg.connect(own_postgres.url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_children_die_with_their_parent_and_the_next_start_works(tmp_path: Path) -> None:
    _, nats_pid, postgres_pid, first = start_elsewhere(tmp_path / "data", "die")
    until(lambda: not alive(nats_pid) and not alive(postgres_pid), "both servers ended with their parent")
    assert (first, start_elsewhere(tmp_path / "data")[3]) == (1, 2)


def test_a_start_right_after_a_kill_waits_for_the_old_servers(tmp_path: Path) -> None:
    starts = [start_elsewhere(tmp_path / "data", "die")[3] for _ in range(3)]
    assert starts == [1, 2, 3]


def test_a_pid_file_that_names_somebody_else_is_stale(tmp_path: Path) -> None:
    with running_postgres(tmp_path / "postgres") as server:
        server.kill()
        stale = tmp_path / "postgres" / "data" / "postmaster.pid"
        lines = stale.read_text().splitlines()
        stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        server.start()


@pytest.mark.parametrize("name", ["a path with spaces, 'quotes' and ü", "x" * (MAX_PATH_BYTES + 20)])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    with running_postgres(tmp_path / name / "postgres") as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        socket_dir = Path(str(conninfo_to_dict(server.url)["host"]))
        assert socket_dir.exists()
    assert not socket_dir.exists()  # a long path's is elsewhere, and would be left behind
    with running_nats(tmp_path / name / "nats"):
        pass


def test_an_ordinary_user_needs_no_rights(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = ordinary_user.owned_folder(tmp_path_factory.mktemp("ordinary") / "home")
    done = ordinary_user.run_module("tests.support.embedded_trial", str(home / "data"))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) != 0


def test_servers_never_hold_the_callers_pipes(own_postgres: EmbeddedPostgres, nats_server: EmbeddedNats) -> None:
    for pid in (own_postgres.pid, nats_server.pid):
        held = {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
        assert not [name for name in held if name.startswith(("pipe:", "/dev/pts"))]
        assert pid is not None
        assert os.getpgid(pid) != os.getpgrp()


def test_stopping_is_harmless_twice_and_before_the_start(tmp_path: Path) -> None:
    for server in (EmbeddedNats(tmp_path / "nats"), EmbeddedPostgres(tmp_path / "postgres")):
        server.stop()
        server.start()
        pid = server.pid
        server.stop()
        server.stop()
        assert pid is not None
        assert not alive(pid)


def test_a_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("19\n")
    with pytest.raises(NewerDataDir) as refused:
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert refused.value.found == "PostgreSQL 19"


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text('{"layout": 999}')
    with pytest.raises(NewerDataDir):
        DataDir(tmp_path).prepare()


def test_ctrl_c_does_not_reach_a_server(nats_server: EmbeddedNats) -> None:
    assert nats_server.pid is not None
    assert os.getsid(nats_server.pid) == nats_server.pid  # Ctrl-C goes to the terminal's session
