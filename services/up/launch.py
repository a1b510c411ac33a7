"""What `linstock up` was asked for. Light to import."""

import os
from dataclasses import dataclass
from pathlib import Path

from linstock.access.hosts import is_loopback
from linstock.settings import DEFAULT_PORT, DEFAULT_RETENTION_DAYS, LogFormat

PLAIN_HTTP = "others can reach this, over plain HTTP: tokens are readable on the way, so put a proxy with TLS before it"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """`paths` become libraries. `allow_roots` are the only places where libraries may be; none: everywhere."""

    paths: tuple[Path, ...] = ()
    port: int = DEFAULT_PORT
    host: str = "127.0.0.1"
    log_format: LogFormat = "console"
    require_token: bool = False
    allow_roots: tuple[Path, ...] = ()
    retention_days: int = DEFAULT_RETENTION_DAYS

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it."""
        return not is_loopback(self.host)

    @property
    def needs_token(self) -> bool:
        return self.is_open or self.require_token

    def words(self) -> list[str]:
        """The same again, as arguments of `linstock up`."""
        return [
            *("--port", str(self.port), "--host", self.host, "--log-format", self.log_format),
            *("--retention-days", str(self.retention_days)),
            *(("--require-token",) if self.require_token else ()),
            *(word for root in self.allow_roots for word in ("--allow-root", os.fspath(root))),
            "--",
            *(os.fspath(path.resolve()) for path in self.paths),
        ]
