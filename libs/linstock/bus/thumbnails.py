"""Thumbnails in a JetStream object store, by the hash of what they were made from: written once, never changed, and
made again when they are lost.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, ObjectMeta, ObjectMetaOptions
from nats.js.errors import NotFoundError, ObjectNotFoundError
from nats.js.object_store import OBJ_ALL_META_PRE_TEMPLATE, OBJ_CHUNKS_PRE_TEMPLATE, ObjectStore

from linstock import names
from linstock.messages.enrichment import LARGEST_THUMBNAIL_BYTES, THUMBNAIL_SIZES
from linstock.settings import DEFAULT_THUMBNAILS_MIB

MIB = 1024 * 1024
LOOK_S = 10.0
LISTED_AT_ONCE = 500
HASH_LENGTH = 64  # hexadecimal digits of SHA-256


class Kept(Struct, frozen=True):
    """One object: of the cover whose bytes have this hash, written then. `subjects` are all that it is made of."""

    hashed: str
    size_bytes: int
    at: datetime
    subjects: tuple[str, str]


class _Info(Struct):
    """What of an object's description counts here."""

    name: str
    nuid: str
    size: int = 0
    deleted: bool = False


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

    async def all(self) -> AsyncIterator[list[Kept]]:
        """Everything that is stored, some at a time; what is written meanwhile may be left out."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT, ack_policy=AckPolicy.NONE, inactive_threshold=60
        )
        metas = OBJ_ALL_META_PRE_TEMPLATE.format(bucket=names.THUMBS)
        pull = await self._js.pull_subscribe(metas, stream=names.THUMBS_STREAM, config=config)
        try:
            left = (await pull.consumer_info()).num_pending or 0
            while left > 0:
                messages = await pull.fetch(min(left, LISTED_AT_ONCE), timeout=5)
                left = messages[-1].metadata.num_pending if messages else 0
                yield [kept for message in messages if (kept := _kept(message.subject, message.data, message.metadata))]
        except NatsTimeout:
            return  # what was counted has gone meanwhile
        finally:
            await pull.unsubscribe()

    async def drop(self, kept: Kept) -> None:
        """First what says that it is there: what nobody knows of is made again."""
        for subject in kept.subjects:
            await self._js.purge_stream(names.THUMBS_STREAM, subject=subject)

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


def _kept(subject: str, data: bytes, metadata: Msg.Metadata) -> Kept | None:
    """None: nothing of ours."""
    try:
        info = msgspec.json.decode(data, type=_Info)
    except msgspec.MsgspecError:
        return None
    hashed, _, size = info.name.partition("-")
    if info.deleted or len(hashed) != HASH_LENGTH or not size.isdigit():
        return None
    chunks = OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=names.THUMBS, obj=info.nuid)
    return Kept(hashed, info.size, metadata.timestamp, (subject, chunks))
