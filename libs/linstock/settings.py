"""What the environment says, read once at the edge of a process into a frozen value.

Only `__main__` modules and commands call `read`; everything else is handed what it needs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

LogFormat = Literal["console", "json"]

DEFAULT_PORT = 8321
MOST_DAYS = 36_500
DEFAULT_RETENTION_DAYS = 90
DEFAULT_THUMBNAILS_MIB = 4096  # of some 80,000 covers
MOST_MIB = 1_000_000
DEFAULT_DATA_DIR = Path(".linstock")


class MissingSetting(Exception):
    """{name} is not set: {meaning}. `linstock up` sets it for you."""

    def __init__(self, name: str, meaning: str) -> None:
        self.name, self.meaning = name, meaning
        super().__init__((self.__doc__ or "").format(name=name, meaning=meaning))


class BadSetting(Exception):
    """{name}={value} cannot be used: it must be {expected}."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__((self.__doc__ or "").format(name=name, value=value, expected=expected))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One process's settings. Credentials are inside the URLs: never log those (telemetry masks them)."""

    service: str
    database_url: str
    nats_url: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    probe_host: str = "127.0.0.1"
    probe_port: int = 0
    """0: any free port (the log names it)."""
    log_format: LogFormat = "console"
    data_dir: Path = DEFAULT_DATA_DIR
    crash_at: str = ""
    allow_roots: tuple[Path, ...] = ()
    """Libraries must lie below one of these; empty: anywhere."""
    retention_days: int = DEFAULT_RETENTION_DAYS
    """How long the read models keep details of what has ended."""
    thumbnails_mib: int = DEFAULT_THUMBNAILS_MIB
    """How much the object store of thumbnails may hold."""
    require_token: bool = False
    """Also on loopback."""
    disk: Path | None = None
    """A folder on the disk that PostgreSQL and NATS write to; None when they run elsewhere."""


def read(environment: Mapping[str, str], service: str) -> Settings:
    """Settings of `service`. Raises `MissingSetting` or `BadSetting`, which say what to do."""
    return Settings(
        service=service,
        database_url=_url(environment, "LINSTOCK_DATABASE_URL", ("postgresql", "postgres")),
        nats_url=_url(environment, "LINSTOCK_NATS_URL", ("nats", "tls")),
        host=environment.get("LINSTOCK_HOST", Settings.host),
        port=_port(environment, "LINSTOCK_PORT", Settings.port),
        probe_host=environment.get("LINSTOCK_PROBE_HOST", Settings.probe_host),
        probe_port=_port(environment, "LINSTOCK_PROBE_PORT", Settings.probe_port),
        log_format=_log_format(environment),
        data_dir=Path(environment.get("LINSTOCK_DATA_DIR") or DEFAULT_DATA_DIR),
        crash_at=environment.get("LINSTOCK_CRASH_AT", ""),
        allow_roots=_folders(environment, "LINSTOCK_ALLOW_ROOTS"),
        retention_days=_number(
            environment, "LINSTOCK_RETENTION_DAYS", Settings.retention_days, range(1, MOST_DAYS + 1), "days"
        ),
        thumbnails_mib=_number(
            environment, "LINSTOCK_THUMBNAILS_MIB", Settings.thumbnails_mib, range(MOST_MIB + 1), "MiB"
        ),
        require_token=environment.get("LINSTOCK_REQUIRE_TOKEN", "") not in ("", "0", "false"),
        disk=Path(environment["LINSTOCK_DISK"]) if environment.get("LINSTOCK_DISK") else None,
    )


def _url(environment: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    value = environment.get(name, "")
    if not value:
        raise MissingSetting(name, f"a URL such as {schemes[0]}://user:password@host/…")
    if urlsplit(value).scheme not in schemes:
        # The value may hold a password, so the message does not repeat it.
        raise BadSetting(name, "…", f"a URL that begins with {schemes[0]}://")
    return value


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and int(value) < 65536):
        raise BadSetting(name, value, "a port from 0 to 65535")
    return int(value)


def _folders(environment: Mapping[str, str], name: str) -> tuple[Path, ...]:
    folders = tuple(Path(each) for each in environment.get(name, "").split(os.pathsep) if each)
    for folder in folders:
        if not folder.is_absolute():
            raise BadSetting(name, str(folder), f"absolute paths, separated by {os.pathsep}")
    return folders


def _number(environment: Mapping[str, str], name: str, default: int, allowed: range, unit: str) -> int:
    value = environment.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) in allowed):
        raise BadSetting(name, value, f"{unit} from {allowed[0]} to {allowed[-1]}")
    return int(value)


def _log_format(environment: Mapping[str, str]) -> LogFormat:
    value = environment.get("LINSTOCK_LOG_FORMAT") or Settings.log_format
    for known in get_args(LogFormat):
        if value == known:
            found: LogFormat = known
            return found
    raise BadSetting("LINSTOCK_LOG_FORMAT", value, " or ".join(get_args(LogFormat)))
