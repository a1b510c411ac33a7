"""What `linstock doctor` says of a machine, while nothing runs."""

import json
import os
import socket
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from linstock.embedded import DataDir
from services.up.doctor import machine, system
from services.up.doctor.finding import Finding
from services.up.state import ServiceState, State
from tests.support.fake_api import FakeApi, page, problem
from tests.support.ordinary_user import owned_folder
from tests.support.trees import put
from tests.unit.cli.conftest import Linstock

TODAY = date(2026, 11, 24)


def looked(data: DataDir) -> dict[str, Finding]:
    return {finding.check: finding for finding in machine.look(data, TODAY)}


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "data")
    made.prepare()
    return made


def test_a_healthy_place_is_found_to_be_so(data: DataDir) -> None:
    found = looked(data)
    assert {check: finding.verdict for check, finding in found.items() if finding.verdict != "ok"} == {}
    assert "fdatasync takes" in found["disk"].found


def test_a_place_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    found = looked(DataDir(tmp_path / "a" / "b"))
    assert found["permissions"].verdict == "ok"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("kind", "verdict", "advice"),
    [
        ("cifs", "failed", "--data-dir"),
        ("fuse.sshfs", "failed", "--data-dir"),
        ("tmpfs", "warning", "reboot"),
        ("xfs", "ok", ""),
    ],
)
def test_a_database_wants_a_local_disk(
    kind: str, verdict: str, advice: str, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "file_system", lambda path: kind)
    found = looked(data)["file system"]
    assert found.verdict == verdict
    assert advice in found.advice


def test_credentials_that_others_may_read_must_be_closed(data: DataDir) -> None:
    data.root.chmod(0o755)
    found = looked(data)["permissions"]
    assert found.verdict == "failed"
    assert found.advice.endswith(f"chmod -R go= {data.root}")


def test_a_place_of_somebody_else_is_said_to_be(tmp_path: Path) -> None:
    theirs = owned_folder(tmp_path / "theirs")
    found = looked(DataDir(theirs))["permissions"]
    assert found.verdict == ("ok" if theirs.stat().st_uid == os.geteuid() else "warning")


@pytest.mark.parametrize(("free", "verdict"), [(10**6, "failed"), (10**9, "warning"), (10**11, "ok")])
def test_a_disk_that_fills_up_is_said_in_time(
    free: int, verdict: str, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage(free))
    assert looked(data)["space"].verdict == verdict


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


@pytest.mark.parametrize(
    ("edition", "verdict"), [("2026b", "ok"), ("2025b", "ok"), ("2019c", "warning"), ("none", "failed")]
)
def test_old_time_zones_fire_at_wrong_times(
    edition: str, verdict: str, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_tzdata", lambda: (edition, "somewhere"))
    assert looked(data)["time zones"].verdict == verdict


def test_a_port_that_is_taken_needs_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert system.port("127.0.0.1", number).verdict == "failed"
    assert system.port("127.0.0.1", number).verdict == "ok"


def state_of(api: FakeApi) -> State:
    return State(pid=os.getpid(), url=api.url, services={"scanner": ServiceState(os.getpid(), "")})


def test_a_library_that_cannot_be_read_is_named(api: FakeApi, tmp_path: Path) -> None:
    put(tmp_path, "there/1.png")
    api.on("GET /libraries", page({"path": str(tmp_path / "there")}, {"path": str(tmp_path / "gone")}))
    found = system.libraries(state_of(api), None)
    assert (found.verdict, found.found) == ("failed", f"cannot be read: {tmp_path / 'gone'}")


def test_libraries_need_a_token_where_one_is_asked_for(api: FakeApi) -> None:
    api.otherwise = problem(401, "unauthorized", "An access token is needed.")
    assert system.libraries(state_of(api), None).verdict == "warning"
    assert system.exposure(state_of(api)) == Finding("access", "ok", "127.0.0.1 only, with a token")


@pytest.mark.parametrize(("asks", "verdict"), [(False, "failed"), (True, "warning")])
def test_beyond_loopback_a_token_is_a_must_and_tls_a_wish(asks: bool, verdict: str, api: FakeApi) -> None:
    api.otherwise = problem(401, "unauthorized", "An access token is needed.") if asks else page()
    assert system.exposure(replace(state_of(api), host="0.0.0.0")).verdict == verdict


def test_it_works_where_nothing_runs_and_changes_nothing(linstock: Linstock, tmp_path: Path) -> None:
    ended = linstock("doctor", "--data-dir", tmp_path / "none", "--port", "0", "-o", "json",
                     LINSTOCK_DATABASE_URL=None, LINSTOCK_NATS_URL=None)  # fmt: skip
    assert (ended.exit_code, ended.stderr) == (0, "")
    found = {row["check"]: row["verdict"] for row in json.loads(ended.stdout)}
    assert found["running"] == "ok"
    assert "postgres" not in found
    assert list(tmp_path.iterdir()) == []


def test_what_must_be_mended_ends_with_1(linstock: Linstock, data: DataDir) -> None:
    data.root.chmod(0o755)
    ended = linstock("doctor", "--data-dir", data.root, "--port", "0")
    assert ended.exit_code == 1
    assert "failed   permissions  others may read" in ended.stdout
    assert f"→ It holds credentials: chmod -R go= {data.root}" in ended.stdout
