"""`linstock up` and its companions as a person uses them, over services that do nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "tests.support.dummy_up", *map(str, words)]


@pytest.fixture
def linstock(data_dir: Path) -> Iterator[Run]:
    """`linstock WORDS… --data-dir DIR`; whatever it left running is stopped afterwards."""

    def run(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*words, "--data-dir", data_dir),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1", **environment},
        )

    yield run
    run("down")


def state_of(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "state.json").read_text())
    return found


def ready(data_dir: Path) -> dict[str, Any] | None:
    if not (data_dir / "state.json").exists():
        return None
    found = state_of(data_dir)
    return found if found["ready"] else None


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids(state: dict[str, Any]) -> list[int]:
    services = [service["pid"] for service in state["services"].values()]
    return [*services, state["nats"]["pid"], state["postgres"]["pid"]]


def test_detached_it_prints_the_url_last_and_again_when_it_runs(linstock: Run, data_dir: Path) -> None:
    first = linstock("up", "--detach", "--port", "0")
    assert first.returncode == 0, first.stderr
    url = first.stdout.splitlines()[-1]
    with urllib.request.urlopen(f"{url}/api/v1/libraries", timeout=5) as answer:
        assert answer.status == 200
    again = linstock("up", "--detach")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, url)
    status = linstock("status", "-o", "json")
    assert status.returncode == 0
    assert {name: found["unready"] for name, found in json.loads(status.stdout)["services"].items()} == {
        "scheduler": None,
        "api": None,
    }
    probe = state_of(data_dir)["services"]["scheduler"]["probe"]
    assert f"{probe}  " in linstock("status").stdout
    children = pids(state_of(data_dir))
    assert linstock("down", "--port", "9000").returncode == 0
    assert not [pid for pid in children if alive(pid)]
    assert linstock("down").returncode == 0
    assert linstock("status").returncode == 3


def test_a_folder_given_to_what_runs_already_becomes_a_library_too(linstock: Run, tmp_path: Path) -> None:
    url = linstock("up", "--detach", "--port", "0").stdout.splitlines()[-1]
    photos = tmp_path / "photos"
    photos.mkdir()
    again = linstock("up", "--detach", "--port", "0", photos)
    assert (again.returncode, again.stdout) == (0, f"{url}\n"), again.stderr
    posted = [line for line in linstock("logs").stdout.splitlines() if "posted" in line]
    assert len(posted) == 2
    assert f'"path": "{photos}"' in posted[0]
    assert "/api/v1/libraries/7/scans" in posted[1]


def test_credentials_are_private_and_never_logged(linstock: Run, data_dir: Path) -> None:
    linstock("up", "--detach", "--port", "0")
    assert (data_dir / "state.json").stat().st_mode & 0o777 == 0o600
    shown = linstock("logs").stdout
    assert "scheduler" in shown
    assert "dummy works" in shown
    password = (data_dir / "nats" / "credential").read_text()
    assert password not in shown
    assert "nats://linstock:***@" in shown


def test_whatever_dies_is_started_again_at_the_same_address(linstock: Run, data_dir: Path) -> None:
    linstock("up", "--detach", "--port", "0")
    before = state_of(data_dir)
    for pid in pids(before):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(pids(state_of(data_dir))) & {*pids(before), None}, "everything runs again under new pids")
    until(lambda: linstock("status").returncode == 0, "everything is ready again")
    after = state_of(data_dir)
    assert (after["nats"]["url"], after["postgres"]["url"]) == (before["nats"]["url"], before["postgres"]["url"])
    assert after["services"]["api"]["probe"] == before["services"]["api"]["probe"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_drains_services_before_servers(
    linstock: Run, data_dir: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        command("up", "--port", "0", "--log-format", "json", "--data-dir", data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        state = until(lambda: ready(data_dir), "ready", 30)
        second = linstock("up")
        assert second.returncode == 1
        assert f"already runs on '{data_dir}' (pid {up.pid}) at {state['url']}" in second.stderr
        began = time.monotonic()
        up.send_signal(number)
        out, err = up.communicate(timeout=15)
        assert time.monotonic() - began < 10
    assert up.returncode == 0
    assert out == state["url"] + "\n"
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events.count("service stopped") == 2
    assert events[-1] == "stopped"
    assert not [pid for pid in pids(state) if alive(pid)]
    assert not (data_dir / "state.json").exists()


def test_a_crash_point_ends_each_service_once(linstock: Run) -> None:
    started = linstock("up", "--detach", "--port", "0", LINSTOCK_CRASH_AT="before_append")
    assert started.returncode == 0, started.stderr
    ends = [line for line in linstock("logs").stdout.splitlines() if "service ended" in line]
    assert len(ends) == 2
    assert all("code=137" in line for line in ends)


def test_servers_of_ones_own_are_used_instead(linstock: Run, data_dir: Path, nats_url: str, database_url: str) -> None:
    linstock("up", "--detach", "--port", "0", LINSTOCK_NATS_URL=nats_url, LINSTOCK_DATABASE_URL=database_url)
    state = state_of(data_dir)
    assert state["nats"] == {"pid": None, "url": nats_url}
    assert state["postgres"] == {"pid": None, "url": database_url}
    assert not (data_dir / "postgres").exists()


def test_killed_it_takes_its_children_along_and_starts_again(linstock: Run, data_dir: Path) -> None:
    linstock("up", "--detach", "--port", "0")
    before = state_of(data_dir)
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: not [pid for pid in pids(before) if alive(pid)], "the children ended")
    assert linstock("status").returncode == 3
    assert linstock("up", "--detach", "--port", "0").returncode == 0


def test_what_cannot_work_is_said_before_anything_starts(linstock: Run, data_dir: Path, tmp_path: Path) -> None:
    for words, code, sentence in (
        (("up", tmp_path / "nowhere"), 2, "is not a folder"),
        (("up", "--allow-root", "/a:/b"), 2, "holds ':'"),
        (("up", "--host", "0.0.0.0"), 6, "make one with `linstock token create"),
        (("up", "--host", "example.org", "--detach"), 6, "make one with `linstock token create"),
    ):
        refused = linstock(*words)
        assert refused.returncode == code
        assert sentence in refused.stderr
        assert not data_dir.exists()


@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_a_taken_port_is_named(linstock: Run, data_dir: Path, unused_tcp_port: int, detach: list[str]) -> None:
    with socket.create_server(("127.0.0.1", unused_tcp_port)):
        refused = linstock("up", "--port", str(unused_tcp_port), *detach)
    assert refused.returncode == 1
    assert f"Port {unused_tcp_port} of 127.0.0.1 cannot be used" in refused.stderr
    assert not (data_dir / "nats").exists()


def test_help_is_there_at_once_and_gives_examples(linstock: Run) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "linstock", "up", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    assert "linstock up ~/Pictures" in shown.stdout
