"""The latest that each running scan said of itself. Heard on core NATS, kept in memory, and lost with the process: the
next is a quarter of a second away."""

from collections import OrderedDict
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.messages.progress import ScanProgress

MOST = 1_000
LARGEST_BYTES = 4 * 1024


class Heard:
    """Of at most `MOST` scans, those that spoke last."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], ScanProgress] = OrderedDict()

    async def start(self, client: Client) -> None:
        """Listens for as long as the connection lives, also after it was lost and came back."""
        await client.subscribe(names.ALL_PROGRESS, cb=self.hear)

    def of(self, workspace: str, scan_id: UUID) -> ScanProgress | None:
        return self._said.get((workspace, str(scan_id)))

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
