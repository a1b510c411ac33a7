"""A server that answers what a test tells it to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


class Answer(NamedTuple):
    """`body` is sent as JSON, or as it is when it is bytes."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


Reply = Answer | Callable[[Asked], Answer]


class FakeApi:
    """Answers by "METHOD /path" below /api/v1; `otherwise` is for everything else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.replies: dict[str, Reply] = {}
        self.otherwise: Reply = problem(404, "not-found", "There is nothing at this path; see /openapi.json.")

    def on(self, what: str, *replies: Reply) -> None:
        """Several replies are given one after the other, the last one from then on."""
        left = list(replies)
        self.replies[what] = lambda asked: reply_to(left.pop(0) if len(left) > 1 else left[0], asked)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        path = asked.path.removeprefix("/api/v1")
        return reply_to(self.replies.get(f"{asked.method} {path}", self.otherwise), asked)

    def told(self, what: str) -> list[Any]:
        """The bodies of the requests "METHOD /path"."""
        return [each.body for each in self.asked if f"{each.method} {each.path.removeprefix('/api/v1')}" == what]


def reply_to(reply: Reply, asked: Asked) -> Answer:
    return reply(asked) if callable(reply) else reply


def page(*rows: Any, total: int | None = None) -> Answer:
    """The only page of a list, or the first of one that has `total` rows in all."""
    count = len(rows) if total is None else total
    pages = -(-count // len(rows)) if rows else 0
    return Answer(200, {"data": rows, "totalCount": count, "page": 1, "pageSize": 200, "totalPages": pages})


def problem(status: int, code: str, detail: str, **more: Any) -> Answer:
    body = {"type": f"urn:linstock:problem:{code}", "title": code, "status": status, "code": code, "detail": detail}
    return Answer(status, body | more, {"Content-Type": "application/problem+json"})


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.fake = FakeApi(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.fake  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(
            self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), json.loads(sent or b"null")
        )
        answer = self.server.fake.answer(asked)  # type: ignore[attr-defined]
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        content = b"" if answer.body is None else raw
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - named by the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Tests say what matters."""
