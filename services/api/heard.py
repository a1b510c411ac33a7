"""The latest that each running scan said of itself. Heard on core NATS, kept in memory, and lost with the process: the
next is a quarter of a second away."""

import time
from collections import OrderedDict
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.messages.progress import ScanProgress
from linstock.messages.watching import Watching

MOST = 1_000
LARGEST_BYTES = 4 * 1024
WATCHING_S = 10.0  # said every other second


class Heard:
    """Of at most `MOST` scans, those that spoke last."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], ScanProgress] = OrderedDict()
        self._watching: OrderedDict[tuple[str, str], tuple[Watching, float]] = OrderedDict()

    async def start(self, client: Client) -> None:
        """Listens for as long as the connection lives, also after it was lost and came back."""
        await client.subscribe(names.ALL_PROGRESS, cb=self.hear)
        await client.subscribe(names.ALL_WATCHING, cb=self.hear_watching)

    def of(self, workspace: str, scan_id: UUID) -> ScanProgress | None:
        return self._said.get((workspace, str(scan_id)))

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
            said = msgspec.json.decode(message.data, type=ScanProgress)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        self._said[workspace, scan_id] = said
        self._said.move_to_end((workspace, scan_id))
        if len(self._said) > MOST:
            self._said.popitem(last=False)
