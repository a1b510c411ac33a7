"""How far a scan is, four times a second, on core NATS: losing one changes nothing."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import nats.errors

from linstock import names
from linstock.crashpoints import reach
from linstock.messages.progress import ScanProgress
from services.scanner.tally import Tally

EVERY_S = 0.25
WINDOW_S = 5.0

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
    began, told, pace = loop.time(), None, Pace()
    while True:
        await asyncio.sleep(EVERY_S)
        pace.note(loop.time(), tally.listed_files, tally.listed_bytes)
        seen = ScanProgress(
            folders=tally.folders,
            files=tally.files,
            collections=tally.collections,
            images=tally.images,
            errors=tally.troubles.count,
            phase=tally.phase,
            size_bytes=tally.size_bytes,
            verified=tally.verified,
            verified_bytes=tally.verified_bytes,
        )
        if seen != told:
            elapsed_ms = round((loop.time() - began) * 1000)
            files_per_s, bytes_per_s = pace.rates()
            said = msgspec.structs.replace(
                seen,
                elapsed_ms=elapsed_ms,
                at=datetime.now(UTC),
                files_per_s=files_per_s,
                bytes_per_s=bytes_per_s,
            )
            with contextlib.suppress(nats.errors.Error, OSError):
                await publish(subject, msgspec.json.encode(said))
            told = seen
            reach("after_progress")


class Pace:
    """How much was read in the last seconds. Pure; times are in seconds."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, int, int]] = deque(maxlen=round(WINDOW_S / EVERY_S))

    def note(self, at_s: float, files: int, size_bytes: int) -> None:
        self._notes.append((at_s, files, size_bytes))

    def rates(self) -> tuple[float | None, float | None]:
        """Files and bytes a second; None: none were read."""
        (first_s, files_then, bytes_then), (last_s, files, size_bytes) = self._notes[0], self._notes[-1]
        if last_s <= first_s or files <= files_then:
            return None, None
        passed_s = last_s - first_s
        return round((files - files_then) / passed_s, 1), round((size_bytes - bytes_then) / passed_s, 1)
