"""Callers over HTTP: they create, rename, scan and delete libraries, each command under a key of its own, and repeat a
command under the same key until they are told what became of it."""

import asyncio
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.faults import tree
from tests.faults.ledger import Entry, Ledger, Library

TIMEOUT_S = 6.0
AGAIN_AFTER_S = 0.2
POLLS = 15
"""Looks at a pending operation before the command is sent again under the same key."""
PENDING, NOT_FOUND = 202, 404
GIVE_UP_S = 120.0


class Unanswered(Exception):
    """A caller was never told what became of its command."""


class Commander:
    """`callers` of them at once; each has one library at a time."""

    def __init__(self, url: str, ledger: Ledger, root: Path, *, seed: int, callers: int = 3) -> None:
        self._url = url
        self._ledger = ledger
        self._root = root
        self._seed = seed
        self._callers = callers
        self._stopping = asyncio.Event()
        self._client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S)
        self._made = 0

    async def run(self) -> None:
        """Until `stop`; then every caller finishes what it began. Raises Unanswered."""
        async with self._client, asyncio.TaskGroup() as group:
            for number in range(self._callers):
                group.create_task(self._caller(random.Random(self._seed * 1000 + number)))

    def stop(self) -> None:
        self._stopping.set()

    async def _caller(self, chance: random.Random) -> None:
        while not self._stopping.is_set():
            library = await self._create()
            for _ in range(chance.randint(1, 4)):
                await self._breathe(chance)
                await self._rename(library)
            await self._breathe(chance)
            await self._scan(library)
            if chance.random() < 0.6:
                await self._delete(library)

    async def _breathe(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0.1, 0.6))

    async def _create(self) -> Library:
        entry = self._entry("create")
        entry.name = f"Library {entry.key}"
        root = self._root / entry.key  # a folder belongs to one library
        tree.add_folder(root, "holidays")
        library_id = await self._send(entry, "POST", "/api/v1/libraries", {"name": entry.name, "path": str(root)})
        assert library_id, entry
        library = self._ledger.libraries[library_id] = Library(library_id, entry.name)
        return library

    async def _rename(self, library: Library) -> None:
        entry = self._entry("rename", library)
        entry.name = f"Renamed {entry.key}"
        await self._send(entry, "PATCH", f"/api/v1/libraries/{library.library_id}", {"name": entry.name})
        if entry.refused is None:
            library.name = entry.name

    async def _scan(self, library: Library) -> None:
        await self._send(self._entry("scan", library), "POST", f"/api/v1/libraries/{library.library_id}/scans", {})

    async def _delete(self, library: Library) -> None:
        entry = self._entry("delete", library)
        await self._send(entry, "DELETE", f"/api/v1/libraries/{library.library_id}", None)
        library.deleted = entry.refused is None

    def _entry(self, kind: str, library: Library | None = None) -> Entry:
        self._made += 1
        entry = Entry(f"{kind}-{self._made}", kind, library.library_id if library else None)
        self._ledger.entries.append(entry)
        return entry

    async def _send(self, entry: Entry, method: str, path: str, body: dict[str, Any] | None) -> UUID | None:
        """The id in the answer, once there is one."""
        give_up = time.monotonic() + GIVE_UP_S
        while time.monotonic() < give_up:
            entry.tries += 1
            try:
                answer = await self._client.request(method, path, json=body, headers={"Idempotency-Key": entry.key})
                location = answer.headers.get("Location", "")
                if answer.status_code == PENDING and "/operations/" in location:
                    entry.acked = True  # told that it will happen
                    entry.operation = UUID(location.rpartition("/")[2])
                    told = await self._operation(location)
                    if told is None:
                        continue
                    return self._told(entry, *told)
                if answer.status_code < 500:
                    return self._told(entry, answer.status_code, answer.json() if answer.content else {})
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(AGAIN_AFTER_S)
        raise Unanswered(f"{Unanswered.__doc__} {entry}")

    async def _operation(self, location: str) -> tuple[int, dict[str, Any]] | None:
        """The answer that the receipt has; None when it is worth sending again."""
        for _ in range(POLLS):
            await asyncio.sleep(AGAIN_AFTER_S)
            answer = await self._client.get(location)
            if answer.status_code == NOT_FOUND:
                return None
            if answer.status_code == 200:
                operation = answer.json()
                if operation["status"] != "pending":
                    return operation["answer"]["status"], operation["answer"]
        return None

    def _told(self, entry: Entry, status: int, body: dict[str, Any]) -> UUID | None:
        self._ledger.answered_at.append(datetime.now(UTC))
        if status >= 400:
            entry.refused = str(body.get("code", status))
            return None
        entry.acked = True
        found = body.get("id")
        if found is not None:
            entry.ids.add(UUID(found))
            return UUID(found)
        return entry.library_id
