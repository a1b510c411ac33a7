"""Progress: how far a running job is. No event: it is told on core NATS and forgotten."""

from datetime import datetime

from linstock.messages.message import Message


class ScanProgress(Message, frozen=True):
    """What a running scan has seen so far; `errors` could not be read. `elapsed_ms` is since it began. `phase` is
    preparing | walking | verifying | concluding. The rates are those of the last seconds; None: nothing was read
    meanwhile. `verified` files, of `verified_bytes` that were read, are hashed."""

    folders: int
    files: int
    collections: int
    images: int = 0
    errors: int = 0
    elapsed_ms: int = 0
    at: datetime | None = None
    phase: str = "walking"
    size_bytes: int = 0
    files_per_s: float | None = None
    bytes_per_s: float | None = None
    verified: int = 0
    verified_bytes: int = 0


class JobProgress(Message, frozen=True):
    """What a running job of an application says of itself: which part (`stage`) it is at, how much of that is done and
    how much of the whole, 0 to 1."""

    attempt: int
    fraction: float = 0.0
    stage: str = ""
    stage_fraction: float = 0.0
    message: str = ""
