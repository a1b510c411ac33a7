"""`linstock up` for others than this machine, and with tokens required: the real services, as an operator runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.trees import put
from tests.support.waiting import until

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def linstock(data_dir: Path) -> Iterator[Run]:
    def run(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "linstock", *map(str, words), "--data-dir", str(data_dir)],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1", **environment},
        )

    yield run
    run("down")


def state_of(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "state.json").read_text())
    return found


def tokens_of(linstock: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(linstock("token", "ls", "--all", "-o", "json").stdout)
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    put(tmp_path / "media" / "photos", "a/1.jpg")
    return tmp_path / "media" / "photos"


def test_for_others_it_starts_once_there_is_a_token_and_adds_what_it_is_given(
    linstock: Run, data_dir: Path, photos: Path
) -> None:
    refused = linstock("up", "--detach", "--host", "0.0.0.0", "--port", "0", photos)
    assert refused.returncode == 6
    assert f"linstock token create --role admin --data-dir {data_dir}" in refused.stderr
    token = json.loads(linstock("token", "create", "--role", "viewer", "-o", "json").stdout)
    started = linstock("up", "--detach", "--host", "0.0.0.0", "--port", "0", photos)
    assert started.returncode == 0, started.stderr
    assert "over plain HTTP" in started.stderr
    url = started.stdout.splitlines()[-1]
    assert url.startswith("http://127.0.0.1:")
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token['token']}"}) as http:
        (library,) = http.get("/libraries").json()["data"]
        assert library["path"] == str(photos)
        again = linstock("up", "--detach", photos, photos.parent)
        assert again.returncode == 0, again.stderr
        assert http.get("/libraries").json()["totalCount"] == 2
        assert http.post("/libraries", json={}).status_code == 403
    assert httpx.get(f"{url}/api/v1/libraries").status_code == 401
    ours = [each for each in tokens_of(linstock) if each["name"] == "up"]
    assert len(ours) == 2
    assert not any(each["usable"] for each in ours)
    assert all(each["revokedAt"] and each["expiresAt"] for each in ours)
    assert state_of(data_dir)["host"] == "0.0.0.0"
    linstock("down")
    linstock("token", "revoke", token["id"])
    late = linstock("up", "--detach", "--host", "0.0.0.0", "--port", "0")  # a database, and nobody who may come in
    assert (late.returncode, late.stdout) == (6, "")
    assert "make one with `linstock token create" in late.stderr
    assert linstock("status").returncode == 3


def test_required_on_loopback_too_every_change_names_the_token_in_its_event(
    linstock: Run, data_dir: Path, photos: Path
) -> None:
    started = linstock("up", "--detach", "--port", "0", "--allow-root", photos.parent, LINSTOCK_REQUIRE_TOKEN="1")
    assert started.returncode == 0, started.stderr
    url = started.stdout.splitlines()[-1]
    assert httpx.get(f"{url}/api/v1/whoami").status_code == 401
    made = json.loads(linstock("token", "create", "--role", "admin", "--name", "ann", "-o", "json").stdout)
    headers = {"Authorization": f"Bearer {made['token']}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=20) as http:
        elsewhere = http.post("/libraries", json={"name": "A", "path": str(photos.parents[1])})
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "path-not-allowed")
        library = http.post("/libraries", json={"name": "A", "path": str(photos)}).json()["id"]
        photos.rename(photos.with_name("moved"))
        photos.symlink_to("/etc")
        scan = http.post(f"/libraries/{library}/scans", json={}).json()["id"]

        def ended() -> dict[str, Any] | None:
            answer = http.get(f"/scans/{scan}")
            found: dict[str, Any] = answer.json()
            return found if answer.status_code == 200 and found["completedAt"] else None

        failed = until(ended, "the scan has ended", 30)
        assert (failed["status"], failed["errorCode"], failed["attempt"]) == ("Failed", "root_not_allowed", 1)
        assert "it is /etc" in failed["errorMessage"]
    nats_url = state_of(data_dir)["nats"]["url"]
    assert actors(nats_url, "linstock.library.created.v1") == {made["actor"]}
    assert actors(nats_url, "linstock.scan.requested.v1") == {made["actor"]}


def actors(nats_url: str, event_type: str) -> set[str]:
    """The ce-actor of every such event in EVENTS."""
    import asyncio

    from linstock import names
    from linstock.bus.connection import close, connect
    from linstock.bus.envelope import from_message

    async def look() -> set[str]:
        client = await connect(nats_url, "test")
        try:
            subscription = await client.jetstream().subscribe(names.ALL_EVENTS, ordered_consumer=True)
            state = (await client.jetstream().stream_info(names.EVENTS)).state
            found = set()
            for _ in range(state.messages):
                message = await subscription.next_msg(timeout=5)
                recorded = from_message(message.headers, message.data, subject=message.subject).recorded
                if recorded.type == event_type:
                    found.add(recorded.actor)
            return found
        finally:
            await close(client)

    return asyncio.run(look())
