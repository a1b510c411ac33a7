"""Makes lost thumbnails again, when somebody wants to see them."""

import asyncio
from uuid import UUID

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.thumbnails import Thumbnails
from linstock.cancellation import cancel
from linstock.messages.enrichment import Cover, WantedThumbnails
from linstock.roots import EVERYWHERE, AllowedRoots
from services.scanner.enrichment.known import KnownImages, name_of
from services.scanner.enrichment.reader import Reader
from services.scanner.enrichment.study import place_of
from services.scanner.enrichment.words import File

logger = structlog.get_logger(__name__)

MOST_WAITING = 1_000
LARGEST_BYTES = 4 * 1024


class Remaking:
    """One after the other, from the cover's file if it still has the bytes that it had. What can't be made now is
    forgotten; who wants to see it asks again."""

    def __init__(
        self,
        client: Client,
        known: KnownImages,
        *,
        reader: Reader,
        thumbnails: Thumbnails,
        roots: AllowedRoots = EVERYWHERE,
    ) -> None:
        self._client = client
        self._known = known
        self._reader = reader
        self._thumbnails = thumbnails
        self._roots = roots
        self._wanted: dict[UUID, str] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._client.subscribe(names.ALL_WANTED_THUMBNAILS, queue=names.SCANNER, cb=self.hear)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            await cancel(self._task)
            self._task = None

    async def hear(self, message: Msg) -> None:
        """What is not readable is not wanted."""
        if len(message.data) > LARGEST_BYTES or len(self._wanted) >= MOST_WAITING:
            return
        try:
            wanted = msgspec.json.decode(message.data, type=WantedThumbnails)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._wanted[wanted.collection_id] = wanted.hash
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                collection_id, hashed = next(iter(self._wanted.items()))
                try:
                    await self.make(collection_id, hashed)
                except Exception as error:
                    logger.warning("Thumbnails can't be made again", error=repr(error))
                self._wanted.pop(collection_id, None)
            await self._reader.rest()

    async def make(self, collection_id: UUID, hashed: str) -> bool:
        """False: there is no such cover, it is not there, or its bytes have changed."""
        found, enriched = await self._known.entry(collection_id), await self._known.enriched(collection_id)
        if found is None or enriched is None or enriched.cover is None or enriched.cover.hash != hashed:
            return False
        library_id, entry = found
        root = await self._known.root(library_id)
        if root is None or await self._thumbnails.has(hashed):
            return False
        bounds = await asyncio.to_thread(self._roots.bounds)
        drawn = await self._reader.draw(place_of(root, entry, bounds), _file_of(enriched.cover))
        if drawn.hash != hashed:
            return False
        await self._thumbnails.put(hashed, drawn.made)
        return True


def _file_of(cover: Cover) -> File:
    return File(name_of(cover), cover.size_bytes, cover.mtime_ns)
