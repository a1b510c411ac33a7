"""The latest that each running scan, job and worker said of itself. Heard on core NATS, kept in memory, and lost with
the process: the next is a quarter of a second away, or two seconds."""

import contextlib
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.messages.progress import JobProgress, ScanProgress
from linstock.messages.watching import Watching
from linstock.messages.work import SignOfLife

T = TypeVar("T")

MOST = 1_000
MOST_WORKERS = 10_000
LARGEST_SIGN_BYTES = 1024 * 1024
SILENT_S = 7.0  # as long as a lease lasts without a sign
LARGEST_BYTES = 4 * 1024
WATCHING_S = 10.0  # said every other second


class Heard:
    """Of at most `MOST` scans, those that spoke last."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], ScanProgress] = OrderedDict()
        self._jobs: OrderedDict[tuple[str, str], JobProgress] = OrderedDict()
        self._workers: OrderedDict[str, tuple[SignOfLife, float, datetime]] = OrderedDict()
        self._watching: OrderedDict[tuple[str, str], tuple[Watching, float]] = OrderedDict()

    async def start(self, client: Client) -> None:
        """Listens for as long as the connection lives, also after it was lost and came back."""
        await client.subscribe(names.ALL_PROGRESS, cb=self.hear)
        await client.subscribe(names.ALL_WATCHING, cb=self.hear_watching)
        await client.subscribe(names.ALL_LIFE, cb=self.hear_life)

    def of(self, workspace: str, scan_id: UUID) -> ScanProgress | None:
        return self._said.get((workspace, str(scan_id)))

    def of_job(self, workspace: str, job_id: UUID) -> JobProgress | None:
        return self._jobs.get((workspace, str(job_id)))

    def workers(self, workspace: str) -> list[SignOfLife]:
        """Those of a workspace, and the built-in ones, which are of all."""
        here = time.monotonic()
        heard = (sign for sign, at_s, _ in self._workers.values() if here - at_s < SILENT_S)
        return sorted((sign for sign in heard if sign.workspace in ("", workspace)), key=lambda sign: sign.worker)

    def serving(self, workspace: str, queue: str) -> list[SignOfLife]:
        """Those of an application's queue that take jobs."""
        known = self.workers(workspace)
        return [sign for sign in known if sign.workspace and queue in sign.queues and not sign.leaving]

    def heard_at(self, worker: str) -> datetime:
        return self._workers[worker][2]

    async def hear_life(self, message: Msg) -> None:
        if len(message.data) > LARGEST_SIGN_BYTES:
            return
        try:
            sign = msgspec.json.decode(message.data, type=SignOfLife)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._workers[sign.worker] = sign, time.monotonic(), datetime.now(UTC)
        self._workers.move_to_end(sign.worker)
        if len(self._workers) > MOST_WORKERS:
            self._workers.popitem(last=False)

    def watching(self, workspace: str, library_id: UUID) -> Watching | None:
        """None: nobody has said for a while that it is watched."""
        said, at_s = self._watching.get((workspace, str(library_id)), (None, 0.0))
        return said if time.monotonic() - at_s < WATCHING_S else None

    async def hear_watching(self, message: Msg) -> None:
        _, workspace, library_id = message.subject.split(".")
        if len(message.data) > LARGEST_BYTES:
            return
        try:
            said = msgspec.json.decode(message.data, type=Watching)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._watching[workspace, library_id] = said, time.monotonic()
        self._watching.move_to_end((workspace, library_id))
        if len(self._watching) > MOST:
            self._watching.popitem(last=False)

    async def hear(self, message: Msg) -> None:
        """What is not readable is not said: it changes nothing."""
        _, workspace, scan_id = message.subject.split(".")
        if len(message.data) > LARGEST_BYTES:
            return
        try:
            _keep(self._said, (workspace, scan_id), msgspec.json.decode(message.data, type=ScanProgress))
        except (msgspec.DecodeError, UnicodeDecodeError):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                _keep(self._jobs, (workspace, scan_id), msgspec.json.decode(message.data, type=JobProgress))


def _keep(kept: OrderedDict[tuple[str, str], T], key: tuple[str, str], said: T) -> None:
    kept[key] = said
    kept.move_to_end(key)
    if len(kept) > MOST:
        kept.popitem(last=False)
