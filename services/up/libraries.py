"""The folders given to `linstock up`, made libraries through the API like anybody else would."""

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

PAGE_SIZE = 100
TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.1

log = structlog.get_logger()


class NotAdded(Exception):
    """{path} did not become a library: {reason}"""

    def __init__(self, path: Path, reason: object) -> None:
        self.path = path
        super().__init__((self.__doc__ or "").format(path=path, reason=reason))


async def add(url: str, paths: tuple[Path, ...], token: str | None = None) -> None:
    """Make each path that is no library yet one, and scan it at once. What fails is logged: the rest goes on."""
    for path in paths:
        try:
            if library := await asyncio.to_thread(add_one, url, path, token):
                log.info("library added", path=str(path), library=library)
        except NotAdded as error:
            log.error("folder not added", path=str(path), error=str(error))


def add_one(url: str, path: Path, token: str | None = None) -> str | None:
    """The same for one path, given absolute: the new library's id, or None when it is one already. Raises NotAdded."""
    api = _Api(url, token)
    try:
        if os.fspath(path) in {library["path"] for library in api.libraries()}:
            return None
        return api.create(path)
    except (OSError, ValueError, KeyError) as error:
        raise NotAdded(path, error) from error


class _Api:
    def __init__(self, url: str, token: str | None) -> None:
        self._url = f"{url}/api/v1"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def create(self, path: Path) -> str:
        body = {"name": path.name or os.fspath(path), "path": os.fspath(path), "autoScan": True}
        made = self._call("POST", "/libraries", body)
        library = self._of_operation(made) if "status" in made else str(made["id"])
        self._call("POST", f"/libraries/{library}/scans", {})
        return library

    def _of_operation(self, operation: dict[str, Any]) -> str:
        """The library that was accepted (202) and is made, or shown, later. Raises ValueError."""
        until = time.monotonic() + TIMEOUT_S
        while operation["status"] == "pending" and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
            operation = self._call("GET", f"/operations/{operation['id']}")
        if operation["status"] != "done":
            answer = operation["answer"] or {"detail": "it was accepted, and is not made yet"}
            raise ValueError(answer["detail"])
        return str(operation["answer"]["id"])

    def libraries(self) -> Iterator[dict[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            found = self._call("GET", f"/libraries?page={page}&pageSize={PAGE_SIZE}")
            yield from found["data"]
            page, pages = page + 1, found["totalPages"]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the URL is our own
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
