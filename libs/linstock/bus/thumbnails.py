"""Thumbnails in a JetStream object store, by the hash of what they were made from: written once, never changed, and
made again when they are lost.
"""

import asyncio
import time
from collections.abc import Mapping

from nats.aio.client import Client
from nats.js.api import ObjectMeta, ObjectMetaOptions
from nats.js.errors import NotFoundError, ObjectNotFoundError
from nats.js.object_store import OBJ_CHUNKS_PRE_TEMPLATE, ObjectStore

from linstock import names
from linstock.messages.enrichment import LARGEST_THUMBNAIL_BYTES, THUMBNAIL_SIZES
from linstock.settings import DEFAULT_THUMBNAILS_MIB

MIB = 1024 * 1024
LOOK_S = 10.0


class Full(Exception):
    """No more thumbnails are kept"""

    def __init__(self, most_mib: int) -> None:
        super().__init__(f"{self.__doc__}: LINSTOCK_THUMBNAILS_MIB is {most_mib}.")


class Thumbnails:
    """An object store refuses what is new when it is full, so it has no limit; whoever writes looks how full it is, at
    most every 10 s. All methods raise what NATS raises when it is away."""

    def __init__(self, client: Client, *, most_mib: int = DEFAULT_THUMBNAILS_MIB) -> None:
        self._js = client.jetstream()
        self._bucket = ObjectStore(name=names.THUMBS, stream=names.THUMBS_STREAM, js=self._js)
        self._most_mib = most_mib
        self._looked_at = float("-inf")
        self._bytes = 0

    async def has(self, hashed: str) -> bool:
        """Whether all sizes are there."""
        return all(await asyncio.gather(*(self._stands(hashed, size) for size in THUMBNAIL_SIZES)))

    async def put(self, hashed: str, made: Mapping[int, bytes]) -> None:
        """Those that are not there yet. Raises Full."""
        for size, content in made.items():
            if not await self._stands(hashed, size):
                await self._refuse_full()
                options = ObjectMetaOptions(max_chunk_size=LARGEST_THUMBNAIL_BYTES)
                await self._bucket.put(_name(hashed, size), content, ObjectMeta(options=options))
                self._bytes += len(content)

    async def get(self, hashed: str, size: int) -> bytes | None:
        """None: it was never made, or is lost."""
        try:
            info = await self._bucket.get_info(_name(hashed, size))
            subject = OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=names.THUMBS, obj=info.nuid)
            message = await self._js.get_last_msg(names.THUMBS_STREAM, subject)
        except (ObjectNotFoundError, NotFoundError):
            return None
        content = message.data
        return content if content is not None and len(content) == info.size else None

    async def _stands(self, hashed: str, size: int) -> bool:
        try:
            await self._bucket.get_info(_name(hashed, size))
        except (ObjectNotFoundError, NotFoundError):
            return False
        return True

    async def _refuse_full(self) -> None:
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._bytes = (await self._js.stream_info(names.THUMBS_STREAM)).state.bytes
            self._looked_at = time.monotonic()
        if self._bytes >= self._most_mib * MIB:
            raise Full(self._most_mib)


def _name(hashed: str, size: int) -> str:
    return f"{hashed}-{size}"
