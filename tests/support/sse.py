"""Reading server-sent events, as a browser's EventSource would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

WITHIN_S = 20


class Said(msgspec.Struct):
    """One block. `id` is None when the block has none; `comment`: it has no data."""

    event: str = "message"
    id: str | None = None
    data: str = ""
    comment: bool = True

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.data)
        return found


class Listening:
    """`id` is the last one said, with which a client comes back."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.id = ""
        self._lines = response.aiter_lines()

    async def block(self) -> Said | None:
        """The next block, None when the stream has ended."""
        said, lines = Said(), 0
        async for line in self._lines:
            if not line and lines:
                return said
            lines += 1
            self._field(said, line)
        return None

    async def said(self) -> Said:
        """The next event, comments left out. Raises TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                said = await self.block()
                assert said is not None, "ended"
                if not said.comment:
                    return said

    async def take(self, count: int) -> list[dict[str, Any]]:
        """The next `count` events, comments left out. Raises TimeoutError."""
        taken: list[dict[str, Any]] = []
        async with asyncio.timeout(WITHIN_S):  # comments would keep a client waiting for ever
            while len(taken) < count:
                said = await self.block()
                assert said is not None, f"ended after {taken}"
                assert said.event == "message", said
                taken += [] if said.comment else [said.json]
        return taken

    def _field(self, said: Said, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "id":
                said.id = self.id = value
            case "event":
                said.event = value
            case "data":
                said.data = value if said.comment else f"{said.data}\n{value}"
                said.comment = False
            case _:  # a comment, retry
                return


@asynccontextmanager
async def listening(
    http: httpx.AsyncClient, path: str = "/api/v1/events/stream", *, last: str | None = None, **parameters: str
) -> AsyncIterator[Listening]:
    headers = {"Last-Event-ID": last} if last else {}
    async with http.stream("GET", path, params=parameters, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield Listening(response)
