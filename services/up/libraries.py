"""The folders given to `linstock up`, made libraries through the API like anybody else would."""

import asyncio
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

PAGE_SIZE = 100
TIMEOUT_S = 10.0

log = structlog.get_logger()


class NotAdded(Exception):
    """{path} did not become a library: {reason}"""

    def __init__(self, path: Path, reason: object) -> None:
        self.path = path
        super().__init__((self.__doc__ or "").format(path=path, reason=reason))


async def add(url: str, paths: tuple[Path, ...]) -> None:
    """Make each path that is no library yet one, and scan it at once. What fails is logged: the rest goes on."""
    for path in paths:
        try:
            if library := await asyncio.to_thread(add_one, url, path):
                log.info("library added", path=str(path), library=library)
        except NotAdded as error:
            log.error("folder not added", path=str(path), error=str(error))


def add_one(url: str, path: Path) -> str | None:
    """The same for one path, given absolute: the new library's id, or None when it is one already. Raises NotAdded."""
    try:
        if os.fspath(path) in {library["path"] for library in _libraries(url)}:
            return None
        return _create(url, path)
    except (OSError, ValueError, KeyError) as error:
        raise NotAdded(path, error) from error


def _create(url: str, path: Path) -> str:
    body = {"name": path.name or os.fspath(path), "path": os.fspath(path), "autoScan": True}
    library = str(_call("POST", f"{url}/api/v1/libraries", body)["id"])
    _call("POST", f"{url}/api/v1/libraries/{library}/scans", {})
    return library


def _libraries(url: str) -> Iterator[dict[str, Any]]:
    page, pages = 1, 1
    while page <= pages:
        found = _call("GET", f"{url}/api/v1/libraries?page={page}&pageSize={PAGE_SIZE}")
        yield from found["data"]
        page, pages = page + 1, found["totalPages"]


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the URL is our own
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found
