"""How far a scan is, four times a second, on core NATS: losing one changes nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import nats.errors

from linstock import names
from linstock.messages.progress import ScanProgress
from services.scanner.tally import Tally

EVERY_S = 0.25

Publish = Callable[[str, bytes], Awaitable[None]]


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
    loop = asyncio.get_running_loop()
    began, told = loop.time(), None
    while True:
        await asyncio.sleep(EVERY_S)
        seen = ScanProgress(
            folders=tally.folders,
            files=tally.files,
            collections=tally.collections,
            images=tally.images,
            errors=tally.troubles.count,
        )
        if seen != told:
            elapsed_ms = round((loop.time() - began) * 1000)
            said = msgspec.structs.replace(seen, elapsed_ms=elapsed_ms, at=datetime.now(UTC))
            with contextlib.suppress(nats.errors.Error, OSError):
                await publish(subject, msgspec.json.encode(said))
            told = seen
