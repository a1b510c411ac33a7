"""Reads every file that is recorded, from end to end, and records what is new, rotten or right again.

What an earlier attempt of the same scan has read is not read again. One file is read at a time, so that a disk is not
asked for two things at once.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec
from msgspec import Struct

from linstock import names
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Append, VersionConflict
from linstock.messages.contents import ContentsEvent, ContentsHashed, HashedCollection, RotFound, RotOver, RottenFile
from services.scanner.contents import judging
from services.scanner.contents.hashing import OtherBytes, hash_of
from services.scanner.contents.judging import File, Known
from services.scanner.index import Index, Place
from services.scanner.ledger import Attempt
from services.scanner.listing import Stopped, Trouble, trouble_of
from services.scanner.opening import below
from services.scanner.scope import ARCHIVE
from services.scanner.tally import Tally
from services.scanner.task import Task

COLLECTIONS_AT_ONCE = 20
FILES_AT_ONCE = 500
FILES_OF_PAGE = 250
"""At most 512 KiB: a name of 255 bytes may take 1.5 kB as JSON, and comes with two hashes at most."""
RECORD_AFTER_S = 5.0


class Found(Struct):
    """What is to be recorded."""

    new: list[tuple[File, bytes]] = msgspec.field(default_factory=list)
    rotten: list[RottenFile] = msgspec.field(default_factory=list)
    over: list[RottenFile] = msgspec.field(default_factory=list)
    judged: list[File] = msgspec.field(default_factory=list)


class Verification:
    """Of one attempt, after its walk."""

    def __init__(
        self,
        task: Task,
        attempt: Attempt,
        *,
        log: EventLog,
        index: Index,
        tally: Tally,
        stopping: threading.Event,
        now: Callable[[], datetime],
    ) -> None:
        self._task = task
        self._attempt = attempt
        self._log = log
        self._index = index
        self._hashes = index.hashes
        self._tally = tally
        self._stopping = stopping
        self._now = now

    async def run(self, executor: Executor) -> None:
        """Raises Stopped, and what the log and the database raise; what was read until then is recorded."""
        self._tally.phase = "verifying"
        await self._hashes.catch_up(self._log, self._task.library_id)
        after = UUID(int=0)
        while places := await self._index.places(self._task.library_id, after=after, limit=COLLECTIONS_AT_ONCE):
            after = places[-1].collection_id
            files = [file async for file in self._files(places)]
            known = await self._hashes.known([place.collection_id for place in places])
            for start in range(0, len(files), FILES_AT_ONCE):
                await self._some(executor, files[start : start + FILES_AT_ONCE], known)
            if self._stopping.is_set():
                raise Stopped

    async def _files(self, places: Sequence[Place]) -> AsyncIterator[File]:
        wanted = [place for place in places if self._is_wanted(place)]
        images = await self._index.images([place.collection_id for place in wanted if place.kind != ARCHIVE])
        for place in wanted:
            if place.kind == ARCHIVE:
                yield File(place.collection_id, b"", place.path, place.size_bytes, place.mtime_ns)
                continue
            of_place = images[place.collection_id]
            for name, size_bytes, mtime_ns in zip(of_place.names, of_place.sizes, of_place.mtimes, strict=True):
                yield File(place.collection_id, name, below(place.path, name), size_bytes, mtime_ns)

    def _is_wanted(self, place: Place) -> bool:
        task = self._task
        if task.scope.narrows and task.scope.leaves_out(place.kind, place.path):
            return False
        return task.reach.whole or task.reach.holds(place.kind, place.path)

    async def _some(self, executor: Executor, files: Sequence[File], known: dict[tuple[UUID, bytes], Known]) -> None:
        left = [file for file in files if not self._was_read(file, known.get((file.collection_id, file.name)))]
        self._tally.verified += len(files) - len(left)
        loop = asyncio.get_running_loop()
        while left and not self._stopping.is_set():
            found, done = await loop.run_in_executor(executor, self._read, left, known)
            await self._record(found)
            left = left[done:]

    def _was_read(self, file: File, known: Known | None) -> bool:
        return known is not None and known.is_of(file) and known.checked_by == self._attempt.scan_id

    def _read(self, files: Sequence[File], known: dict[tuple[UUID, bytes], Known]) -> tuple[Found, int]:
        """As many as go into a few seconds. Blocks."""
        found = Found()
        end_s = time.monotonic() + RECORD_AFTER_S
        for count, file in enumerate(files, 1):
            try:
                self._judge(file, known.get((file.collection_id, file.name)), found)
            except Stopped:
                return found, count
            if time.monotonic() >= end_s:
                return found, count
        return found, len(files)

    def _judge(self, file: File, known: Known | None, found: Found) -> None:
        try:
            content = hash_of(
                self._task.root,
                file.path,
                size_bytes=file.size_bytes,
                mtime_ns=file.mtime_ns,
                bounds=self._task.bounds,
                stopping=self._stopping.is_set,
                read=self._read_bytes,
            )
        except OtherBytes:
            return  # the next scan sees that it is another
        except OSError as error:
            self._tally.troubles.add(trouble_of(error, file.path))
            return
        self._tally.verified += 1
        found.judged.append(file)
        match judging.judge(file, known, content):
            case judging.NEW:
                found.new.append((file, content))
            case judging.ROTTEN:
                assert known
                found.rotten.append(judging.rotten(file, known, content))
                self._rotten(file, known)
            case judging.KNOWN_ROTTEN:
                assert known
                self._rotten(file, known)
            case judging.RIGHT_AGAIN:
                assert known
                found.over.append(judging.rotten(file, known, known.rotten or content))
            case _:
                pass

    def _rotten(self, file: File, known: Known) -> None:
        self._tally.rotten += 1
        message = f"Other bytes than on {known.hashed_at:%Y-%m-%d}, though its size and time are the same."
        self._tally.troubles.add(Trouble("bit_rot", file.path, message))

    def _read_bytes(self, count: int) -> None:
        self._tally.verified_bytes += count

    async def _record(self, found: Found) -> None:
        one, at = self._attempt, self._now()
        for page in _pages(found.new):
            event = ContentsHashed(scan_id=one.scan_id, library_id=one.library_id, collections=page, at=at)
            await self._append(event, at)
        for files in _cut(found.rotten):
            await self._append(RotFound(scan_id=one.scan_id, library_id=one.library_id, files=files, at=at), at)
        for files in _cut(found.over):
            await self._append(RotOver(scan_id=one.scan_id, library_id=one.library_id, files=files, at=at), at)
        await self._hashes.checked(found.judged, one.scan_id)

    async def _append(self, event: ContentsEvent, at: datetime) -> None:
        library_id = self._task.library_id
        while True:
            append = Append(
                aggregate="contents",
                aggregate_id=names.contents_of(library_id),
                expected_version=await self._hashes.version(library_id),
                events=[event],
            )
            try:
                recorded = await self._log.append([append], self._attempt.origin(at))
            except VersionConflict:
                await self._hashes.catch_up(self._log, library_id)
                continue
            await self._hashes.apply(library_id, recorded)
            return


def _pages(found: Sequence[tuple[File, bytes]]) -> Iterator[tuple[HashedCollection, ...]]:
    for start in range(0, len(found), FILES_OF_PAGE):
        some = found[start : start + FILES_OF_PAGE]
        yield tuple(
            HashedCollection(
                collection_id=collection_id, files=tuple(judging.hashed(file, content) for file, content in group)
            )
            for collection_id, group in groupby(some, key=lambda each: each[0].collection_id)
        )


def _cut(files: Sequence[RottenFile]) -> Iterator[tuple[RottenFile, ...]]:
    for start in range(0, len(files), FILES_OF_PAGE):
        yield tuple(files[start : start + FILES_OF_PAGE])
