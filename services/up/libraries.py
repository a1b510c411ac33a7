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


async def add(url: str, paths: tuple[Path, ...]) -> None:
    """Make each path that is no library yet one, and scan it at once. What fails is logged: the rest goes on."""
    if paths:
        await asyncio.to_thread(_add, url, paths)


def _add(url: str, paths: tuple[Path, ...]) -> None:
    try:
        known = {library["path"] for library in _libraries(url)}
        for path in paths:
            if str(path) not in known:
                _create(url, path)
    except (OSError, ValueError, KeyError) as error:
        log.error("folders not added", error=str(error))


def _create(url: str, path: Path) -> None:
    body = {"name": path.name or os.fspath(path), "path": os.fspath(path), "autoScan": True}
    library = _call("POST", f"{url}/api/v1/libraries", body)
    scan = _call("POST", f"{url}/api/v1/libraries/{library['id']}/scans", {})
    log.info("library added", path=str(path), library=library["id"], scan=scan.get("id"))


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
