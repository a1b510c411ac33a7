"""Progress: how far a running job is. No event: it is told on core NATS and forgotten."""

from datetime import datetime

from linstock.messages.message import Message


class ScanProgress(Message, frozen=True):
    """What a running scan has seen so far; `errors` could not be read. `elapsed_ms` is since its walk began."""

    folders: int
    files: int
    collections: int
    images: int = 0
    errors: int = 0
    elapsed_ms: int = 0
    at: datetime | None = None
