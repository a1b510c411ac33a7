"""The HTTP API as a command uses it: one connection, plain dicts, refusals as sentences."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple

import httpx

from linstock.cli import refusals, server

Json = dict[str, Any]

BASE = "/api/v1"
PAGE_SIZE = 200
TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
SILENCE_S = 45.0
"""A stream says something every 15 s."""
OPERATION_S = 20.0
LOOK_EVERY_S = 0.2
POSITION = "Linstock-Position"


class Done(NamedTuple):
    """What a command was answered. `body` is {} where there is none."""

    status: int
    body: Json


class Api:
    """Every method raises `Ended` for what cannot be done. Reads after a command see at least what it did."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._positions: dict[str, str] = {}
        headers = {"Accept": "application/json", "User-Agent": "linstock-cli"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # A proxy of the environment must not stand between us and our own machine.
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S)),
            trust_env=not server.is_local(url),
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **parameters: object) -> Json:
        return self._call("GET", path, parameters=parameters).body

    def find(self, path: str, **parameters: object) -> Json | None:
        """As `get`; None where there is nothing."""
        answer = self._request("GET", path, parameters=parameters)
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._done(answer).body

    def rows(self, path: str, limit: int, **parameters: object) -> tuple[list[Json], int]:
        """The first `limit` rows of a list, over as many pages as it takes, and how many there are."""
        rows: list[Json] = []
        page, size = 1, min(limit, PAGE_SIZE)
        while True:
            found = self.get(path, page=page, pageSize=size, **parameters)
            rows += found["data"]
            if not found["data"] or len(rows) >= limit or page >= found["totalPages"]:
                return rows[:limit], found["totalCount"]
            page += 1

    def command(self, method: str, path: str, body: Json | None = None) -> Done:
        """Also when its owner is away for a moment: then this waits for what became of it."""
        done = self._call(method, path, body=body)
        if done.status == httpx.codes.ACCEPTED and "command" in done.body:
            return self._outcome(str(done.body["id"]))
        return done

    @contextmanager
    def stream(self, path: str, last_id: str, **parameters: object) -> Iterator[Iterator[str]]:
        """The lines of a text/event-stream. Raises httpx.TransportError when it breaks off: come again."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_TIMEOUT_S)
        with self._http.stream(
            "GET", BASE + path, params=_given(parameters), headers=headers, timeout=timeout
        ) as answer:
            if answer.is_error:
                answer.read()
                raise refusals.of(answer, self.url)
            yield answer.iter_lines()

    def _outcome(self, operation: str) -> Done:
        until = time.monotonic() + OPERATION_S
        while True:
            found = self.find(f"/operations/{operation}") or {"status": "pending"}
            if found["status"] != "pending":
                return refusals.outcome(found)
            if time.monotonic() > until:
                raise refusals.still_pending(operation)
            time.sleep(LOOK_EVERY_S)

    def _call(self, method: str, path: str, **given: Any) -> Done:
        return self._done(self._request(method, path, **given))

    def _request(
        self, method: str, path: str, *, parameters: Json | None = None, body: Json | None = None
    ) -> httpx.Response:
        headers = {POSITION: ",".join(self._positions.values())} if self._positions and method == "GET" else {}
        try:
            return self._http.request(method, BASE + path, params=_given(parameters or {}), json=body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise refusals.unreachable(self.url, error) from error

    def _done(self, answer: httpx.Response) -> Done:
        if not answer.is_success:
            raise refusals.of(answer, self.url)
        if position := answer.headers.get(POSITION):
            for each in position.split(","):
                self._positions[each.rpartition(":")[0]] = each
        return Done(answer.status_code, refusals.decoded(answer, self.url))


def _given(parameters: Json) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
