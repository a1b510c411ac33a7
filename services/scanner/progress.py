"""How far a scan is, four times a second, on core NATS: losing one changes nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import msgspec
import nats.errors

from linstock import names
from linstock.messages.message import Message
from services.scanner.tally import Tally

EVERY_S = 0.25

Publish = Callable[[str, bytes], Awaitable[None]]


class Progress(Message, frozen=True):
    """What a running scan has seen so far."""

    folders: int
    files: int
    collections: int


@contextlib.asynccontextmanager
async def progress(tally: Tally, *, workspace: str, scan_id: UUID, publish: Publish) -> AsyncIterator[None]:
    """Tells it while the block runs, at most 4 times a second and only when something was seen since."""
    telling = asyncio.create_task(_tell(tally, names.progress_subject(workspace, scan_id), publish))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(tally: Tally, subject: str, publish: Publish) -> None:
    told: Progress | None = None
    while True:
        await asyncio.sleep(EVERY_S)
        seen = Progress(folders=tally.folders, files=tally.files, collections=tally.collections)
        if seen != told:
            with contextlib.suppress(nats.errors.Error, OSError):
                await publish(subject, msgspec.json.encode(seen))
            told = seen
