"""A running Linstock as a person has it: `linstock up` with the real services, HTTP from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.waiting import until

Json = dict[str, Any]


class Instance:
    """One running Linstock, and how to talk to it."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self.data_dir = data_dir
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api/v1", timeout=10)

    def get(self, path: str) -> Json:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def create(self, name: str, path: Path, **settings: object) -> str:
        return self.made(self.http.post("/libraries", json={"name": name, "path": str(path), **settings}))

    def made(self, answer: httpx.Response) -> str:
        """The id of what a command made; on a busy machine its owner may need longer than a second to answer."""
        assert answer.status_code in (201, 202), answer.text
        where = answer.headers["Location"]
        if "/operations/" not in where:
            return str(where.rpartition("/")[2])

        def done() -> Json | None:
            operation = self.get(where.removeprefix("/api/v1"))
            return operation if operation["status"] != "pending" else None

        operation = until(done, "the operation is done", 30)
        assert operation["status"] == "done", operation
        return str(operation["answer"]["id"])

    def scanned(self, library_id: str) -> Json:
        """Scan now, and wait until it has ended."""
        return self.ended(self.scan(library_id))

    def scan(self, library_id: str) -> str:
        return self.made(self.http.post(f"/libraries/{library_id}/scans"))

    def ended(self, scan_id: str, within_s: float = 30) -> Json:
        def look() -> Json | None:
            answer = self.http.get(f"/scans/{scan_id}")
            scan: Json = answer.json()
            return scan if answer.status_code == 200 and scan["completedAt"] else None

        return until(look, f"scan {scan_id} has ended", within_s)

    def collections(self, library_id: str) -> dict[str, Json]:
        page = self.get(f"/libraries/{library_id}/collections?pageSize=200")
        return {collection["path"]: collection for collection in page["data"]}

    def schedule(self, library_id: str) -> Json:
        return self.get(f"/scheduledjobs/library/{library_id}")

    def runs(self, schedule_id: str) -> list[Json]:
        found: list[Json] = self.get(f"/scheduledjobs/{schedule_id}/runs?pageSize=200")["data"]
        return found

    def pid(self, service: str) -> int:
        state = json.loads((self.data_dir / "state.json").read_text())
        found: int = state["services"][service]["pid"]
        return found

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return linstock(self.data_dir, *words)


@contextmanager
def started(data_dir: Path) -> Iterator[Instance]:
    """Up until the block ends; fails when it does not start, or does not stop properly."""
    up = linstock(data_dir, "up", "--detach", "--port", "0")
    try:
        assert up.returncode == 0, up.stderr
        instance = Instance(data_dir, up.stdout.splitlines()[-1])
        with instance.http:
            yield instance
    finally:
        down = linstock(data_dir, "down")
    assert down.returncode == 0, down.stderr


def linstock(data_dir: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "linstock", *words, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )
