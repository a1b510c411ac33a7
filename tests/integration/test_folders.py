"""Folders given to `linstock up` become libraries through the API: here one that only remembers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.up import libraries


class Api(ThreadingHTTPServer):
    """Answers as the API does, one library a page; `posts` are the calls that change something."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths = paths
        self.posts: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        page = int(self.path.partition("page=")[2].partition("&")[0])
        data = [{"path": path} for path in self.server.paths[page - 1 : page]]
        self._answer({"data": data, "page": page, "pageSize": 1, "totalPages": len(self.server.paths)})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append((self.path, body))
        self._answer({"id": "7"})

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        return


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(["/known/first", "/known/second"]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_a_new_folder_is_added_and_scanned(api: Api) -> None:
    await libraries.add(api.url, (Path("/media/Holiday 2026"),))
    assert api.posts == [
        ("/api/v1/libraries", {"name": "Holiday 2026", "path": "/media/Holiday 2026", "autoScan": True}),
        ("/api/v1/libraries/7/scans", {}),
    ]


async def test_a_known_folder_is_left_alone_on_whatever_page_it_is(api: Api) -> None:
    await libraries.add(api.url, (Path("/known/first"), Path("/known/second")))
    assert api.posts == []


async def test_an_api_that_is_away_is_logged_and_harms_nothing() -> None:
    await libraries.add("http://127.0.0.1:1", (Path("/media"),))
