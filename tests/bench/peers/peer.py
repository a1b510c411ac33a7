"""What this side knows of a peer; how it is driven is in apps/<name>_app.py, for the peer's own Python."""

from enum import Enum

from msgspec import Struct


class Store(Enum):
    REDIS = "redis"
    POSTGRES = "PostgreSQL"
    LINSTOCK = "NATS + PG"


class Bulk(Enum):
    """How many jobs are enqueued at once, by the letter that the table shows."""

    BATCH = "b"
    TRANSACTION = "t"
    GATHER = "g"


class Peer(Struct, frozen=True, kw_only=True):
    """`worker` is what the peer's Python is called with; `{url}` in it is the store. `setting` says the same to a
    reader. `most_jobs` is for the slow: more would only take longer."""

    name: str
    store: Store
    worker: tuple[str, ...]
    setting: str
    bulk: Bulk | None = None
    most_jobs: int = 1_000_000
