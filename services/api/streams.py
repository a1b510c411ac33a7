"""The feed live, as server-sent events: what has happened since a cursor, then what happens.

A client that reads slowly costs one page of memory: the next is read when the one before it has been taken. A cursor
says where a client stands, so nothing is remembered of it here, and it may go on at any other process.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg
import msgspec
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from services.api.cursor import Cursor, Reset
from services.api.dto.events import EventDto
from services.api.problems import DATABASE_AWAY, unavailable
from services.api.queries import events
from services.api.queries.events import Found, Wanted
from services.api.watch import Watch

MEDIA_TYPE = "text/event-stream"
ABOUT = (
    "An EventDto in each `data`, the cursor after it in `id`. `event: reset`: the cursor's place is no more, start over"
)
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

MOST = 100
EVENTS_PER_READ = 50
COMMENT_EVERY_S = 15.0
RETRY_MS = 2_000
LOOK_UP_EVERY_S = 1.0  # whether the client may still listen, and whether the read models are back

Still: TypeAlias = Callable[[], Awaitable[bool]]

_LINE_END = re.compile(r"\r\n|\r|\n")


class Streams:
    """All streams of this process, at most `most`."""

    def __init__(
        self, pool: asyncpg.Pool, watch: Watch, *, most: int = MOST, comment_every_s: float = COMMENT_EVERY_S
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._most = most
        self._comment_every_s = comment_every_s
        self.stopping = False
        self.count = 0

    def open(self, wanted: Wanted, cursor: Cursor, still: Still) -> Stream:
        """Ends when the client leaves, or `still` says that it may no longer listen. Raises Problem 503 when there are
        too many."""
        return self.serve(self._told(wanted, cursor, still))

    def serve(self, told: AsyncGenerator[str, None]) -> Stream:
        """Ends when the client leaves, or `told` does. Raises Problem 503 when there are too many."""
        if self.count >= self._most:
            raise unavailable("too-many-streams", f"{self._most} clients listen already; try again, or ask /events.")
        self.count += 1
        return _Closing(told, on_end=self._ended, media_type=MEDIA_TYPE, headers=HEADERS)

    def stop(self) -> None:
        """Ends them all after what they are saying. Clients come back by themselves, with their cursors."""
        self.stopping = True
        self._watch.wake()

    def _ended(self) -> None:
        self.count -= 1

    async def _told(self, wanted: Wanted, cursor: Cursor, still: Still) -> AsyncGenerator[str, None]:
        loop = asyncio.get_running_loop()
        yield f": linstock\nretry: {RETRY_MS}\nid: {cursor}\n\n"
        comment_at, done = loop.time() + self._comment_every_s, -1
        while not self.stopping and await still():
            turn = self._watch.turn
            try:
                found = await self._read(wanted, cursor) if turn != done else None
            except Reset as reset:
                yield _reset(reset)
                return
            if found:
                for event in found.events:
                    cursor = cursor.moved(event.log, found.next, event.position)
                    yield _frame(event, cursor)
                    comment_at = loop.time() + self._comment_every_s
                cursor = found.next
                if found.more:
                    continue
                done = turn
            if loop.time() >= comment_at:
                yield f":\nid: {cursor}\n\n"
                comment_at = loop.time() + self._comment_every_s
            await self._watch.next(turn, within_s=min(comment_at - loop.time(), LOOK_UP_EVERY_S))

    async def _read(self, wanted: Wanted, cursor: Cursor) -> Found | None:
        """None while the read models are away: a client that is turned away with an error would not come back by
        itself. Raises Reset."""
        try:
            return await events.after(self._pool, wanted, cursor, EVENTS_PER_READ)
        except DATABASE_AWAY:
            return None


def _frame(event: EventDto, cursor: Cursor) -> str:
    return f"id: {cursor}\n{data_of(msgspec.json.encode(event).decode())}\n"


def data_of(encoded: str) -> str:
    """What a job returned is passed on as it was written, and may have line ends between its tokens."""
    return "".join(f"data: {line}\n" for line in _LINE_END.split(encoded))


def _reset(reset: Reset) -> str:
    """The empty id makes a browser forget its own: it would come back with it for ever."""
    told = msgspec.json.encode({"code": "reset", "log": reset.log, "detail": str(reset)}).decode()
    return f"event: reset\nid\ndata: {told}\n\n"


class _Closing(Stream):
    """Says when it has ended, however that was. A generator alone would hear of a client's leaving only when it is
    collected."""

    def __init__(self, told: AsyncGenerator[str, None], *, on_end: Callable[[], None], **settings: Any) -> None:
        super().__init__(told, **settings)
        self._told = told
        self._on_end = on_end

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> Any:
        respond = super().to_asgi_response(*args, **kwargs)

        async def respond_and_close(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await respond(scope, receive, send)
            finally:
                self._on_end()
                await self._told.aclose()

        return respond_and_close
