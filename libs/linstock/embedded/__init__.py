"""Real servers for one data directory: NATS and PostgreSQL from wheels, as children of this process.

`linstock up` and the tests start them; services never do, they are handed URLs.
"""

from linstock.embedded.datadir import DataDir, NetworkFileSystem, NewerDataDir
from linstock.embedded.nats import EmbeddedNats
from linstock.embedded.postgres import EmbeddedPostgres
from linstock.embedded.process import ServerFailed

__all__ = [
    "DataDir",
    "EmbeddedNats",
    "EmbeddedPostgres",
    "NetworkFileSystem",
    "NewerDataDir",
    "ServerFailed",
]
