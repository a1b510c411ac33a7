"""PostgreSQL or NATS away for some seconds, dead or hanging, while ticks fire, a scan runs and commands are sent."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from linstock.embedded import DataDir
from services.up import state
from services.up.state import State
from tests.faults import oracles
from tests.faults.history import read_history
from tests.support.instance import Instance, linstock, started
from tests.support.outages import OUTAGES, outage
from tests.support.trees import put
from tests.support.waiting import until
from tests.system.test_whole import EVERY_SECOND

LASTS_S = 8.0  # longer than the clock's 3 s, a lease's 7 s and every time-out of a request
ANSWERED_WITHIN_S = 7.5  # the very first, of a server that has just begun to hang
LATER_WITHIN_S = 4.0
READY_WITHIN_S = 15.0
ENDED_WITHIN_S = 60.0
CODES = {"database-unavailable", "bus-unavailable"}
SAID = {"postgres": "PostgreSQL does not answer", "nats": "NATS"}
ASKS_NATS = "/api/v1/operations/{command_id}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data_dir = tmp_path_factory.mktemp("outages") / "data"
    with started(data_dir) as instance:
        yield instance


class Caller:
    """Asks every GET route and sends commands, each under a key, and remembers how it went."""

    def __init__(self, instance: Instance, what: str, known: dict[str, str]) -> None:
        self._instance = instance
        self._what = what
        self._known = known
        self._url = instance.http.base_url  # with /api/v1, which the routes of the document have as well
        self.gets = self._routes()
        self.commands: list[tuple[str, dict[str, str]]] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self._began = time.monotonic()

    def ask_everything(self) -> None:
        for route, path in self.gets.items():
            answer = self._timed("GET", path)
            self.answers[route, answer.status_code] += 1
            if answer.status_code >= 500:
                self._is_a_plain_problem(answer)
        key = f"{self._what} {len(self.commands)}".replace(" ", "-")
        body = {"name": key, "path": f"/nowhere/{key}"}
        self.commands.append((key, body))
        answer = self._timed("POST", "/api/v1/libraries", json=body, headers={"Idempotency-Key": key})
        if answer.status_code not in (201, 202):
            self._is_a_plain_problem(answer)

    def send_again(self) -> list[str]:
        """Every command under its key: the ids of what they made."""
        return [
            self._instance.made(self._instance.http.post("/libraries", json=body, headers={"Idempotency-Key": key}))
            for key, body in self.commands
        ]

    def _timed(self, method: str, path: str, **given: Any) -> httpx.Response:
        asked = time.monotonic()
        answer = self._instance.http.request(method, self._url.join(path), timeout=20, **given)
        limit_s = ANSWERED_WITHIN_S if asked - self._began < 3 else LATER_WITHIN_S
        assert time.monotonic() - asked < limit_s, f"{method} {path}: {answer.status_code}"
        return answer

    def _is_a_plain_problem(self, answer: httpx.Response) -> None:
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in CODES
        assert int(answer.headers["retry-after"]) > 0

    def _routes(self) -> dict[str, str]:
        """Every GET route of the API that ends by itself, with ids of things that are there."""
        document = self._instance.http.get(self._url.join("/openapi.json")).json()
        routes = [
            path
            for path, methods in document["paths"].items()
            if "get" in methods and path.startswith("/api/v1") and not path.endswith("/stream")
        ]
        return {route: route.format_map(_Ids(self._known)) for route in routes}


class _Ids(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return str(UUID(int=7))


@pytest.mark.parametrize("what", OUTAGES)
def test_an_outage_is_said_plainly_and_leaves_no_trace(running: Instance, tmp_path: Path, what: str) -> None:
    put(tmp_path / "small", "a/1.jpg")
    for folder in range(200):
        put(tmp_path / "large", *(f"{folder:03}/{image}.jpg" for image in range(20)))
    ticking = running.create(f"Ticking while {what}", tmp_path / "small", autoScan=True, cronExpression=EVERY_SECOND)
    large = running.create(f"Large while {what}", tmp_path / "large")
    until(lambda: running.get(f"/libraries/{ticking}/scans")["data"], "a tick has fired")
    schedule = running.schedule(ticking)["id"]
    caller = Caller(running, what, {"library_id": ticking, "schedule_id": schedule})
    scan = running.scan(large)

    with outage(what, _state(running)):
        over = time.monotonic() + LASTS_S
        while time.monotonic() < over:
            caller.ask_everything()
        said = linstock(running.data_dir, "status")
    assert said.returncode == 1
    assert SAID[what.split()[0]] in said.stdout
    assert "Error" not in said.stdout, "the name of a class is no sentence"
    if what.startswith("nats"):
        away = {route for (route, status), _ in caller.answers.items() if status >= 500}
        assert away <= {ASKS_NATS}, "read models need no NATS"

    until(lambda: linstock(running.data_dir, "status").returncode == 0, "all is ready again", READY_WITHIN_S)
    made = caller.send_again()
    assert len(set(made)) == len(made)
    assert running.ended(scan, ENDED_WITHIN_S)["status"] == "Completed"
    assert running.get(f"/libraries/{large}/collections?pageSize=1")["totalCount"] == 200
    names = Counter(each["name"] for each in _libraries(running))
    assert all(names[key] == 1 for key, _ in caller.commands), "each command happened once"
    assert running.http.patch(f"/libraries/{ticking}", json={"autoScan": False}).status_code in (200, 202)
    _every_instant_has_a_verdict(running, UUID(schedule))


def test_afterwards_events_and_read_models_say_what_postgres_says(running: Instance) -> None:
    for words in (("events", "verify"), ("projection", "verify")):
        until(lambda words=words: running.command(*words).returncode == 0, " ".join(words), 30)  # type: ignore[misc]


def _state(running: Instance) -> State:
    found = state.read(DataDir(running.data_dir))
    assert found
    return found


def _libraries(running: Instance) -> Iterator[dict[str, Any]]:
    page = pages = 1
    while page <= pages:
        found = running.get(f"/libraries?page={page}&pageSize=200")
        yield from found["data"]
        page, pages = page + 1, found["totalPages"]


def _every_instant_has_a_verdict(running: Instance, schedule_id: UUID) -> None:
    servers = _state(running)
    assert servers.postgres
    assert servers.nats
    found = oracles.ticks(asyncio.run(read_history(servers.postgres.url, servers.nats.url)), schedule_id)
    assert found.fired > 0
    assert (found.missing, found.doubled, found.early, found.unexplained) == (0, 0, 0, 0)
