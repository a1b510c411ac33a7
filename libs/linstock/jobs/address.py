"""Where NATS is: told, or found in the state of the Linstock that runs on this machine."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from linstock.settings import DEFAULT_DATA_DIR

URL = "LINSTOCK_NATS_URL"
DATA_DIR = "LINSTOCK_DATA_DIR"
FALLBACK = "nats://127.0.0.1:4222"


class NothingRuns(ConnectionError):
    """No Linstock runs on {data_dir}. Start one (`linstock up`), or say where NATS is: LINSTOCK_NATS_URL."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__((self.__doc__ or "").format(data_dir=data_dir))
        self.data_dir = data_dir


def nats_url(data_dir: Path | None = None) -> str:
    """Raises NothingRuns."""
    if data_dir is None and (told := os.environ.get(URL)):
        return told
    where = data_dir or Path(os.environ.get(DATA_DIR) or DEFAULT_DATA_DIR)
    try:
        state = json.loads((where / "state.json").read_bytes())
        pid, url = int(state["pid"]), str(state["nats"]["url"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NothingRuns(where) from error
    if not Path(f"/proc/{pid}").exists():  # the file outlives what wrote it
        raise NothingRuns(where)
    return url


def named(url: str) -> str:
    """Without what it holds of credentials."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
