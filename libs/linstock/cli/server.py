"""Which server, and who we are there."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import rich_click as click

from linstock.cli.exits import Ended, Exit
from linstock.settings import DEFAULT_DATA_DIR, DEFAULT_PORT

DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
LONGEST_TOKEN = 4096
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def address(url: str | None, data_dir: Path | None) -> str:
    """The given URL; else what runs on the data directory; else the default port. Raises Ended when a data directory
    was asked for and nothing runs on it: what listens on the default port would be another Linstock."""
    if url is not None:
        return _checked(url)
    found = _running_on(data_dir or DEFAULT_DATA_DIR)
    if found is None and data_dir is not None:
        raise Ended(f"Nothing runs on {data_dir}. Start it: linstock up --data-dir {data_dir}", Exit.UNREACHABLE)
    return found or DEFAULT_URL


def token(file: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Raises click.BadParameter when the file cannot be read or holds no token."""
    if file is None:
        return environment.get("LINSTOCK_TOKEN") or None
    try:
        with file.open(encoding="ascii") as opened:
            found = opened.read(LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"cannot read {file}: {error}", param_hint="--token-file") from error
    if not found or not found.isprintable():
        raise click.BadParameter(f"{file} holds no token.", param_hint="--token-file")
    return found


def is_local(url: str) -> bool:
    """Whether paths of this machine are paths of the server."""
    return urlsplit(url).hostname in LOOPBACK


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{url!r} is no address such as {DEFAULT_URL}", param_hint="--url")
    return url.rstrip("/")


def _running_on(data_dir: Path) -> str | None:
    try:
        state = json.loads((data_dir / "state.json").read_bytes())
        pid, url = int(state["pid"]), str(state["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The file outlives what wrote it.
    return url if Path(f"/proc/{pid}").exists() else None
