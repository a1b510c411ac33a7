"""One log out of many: services and the supervisor write JSON lines; a person or a machine reads one stream."""

import io
import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from linstock.settings import LogFormat
from linstock.telemetry import console_renderer, mask_secrets

FILE_LIMIT_BYTES = 10 * 1024 * 1024
FILES_KEPT = 3


class LogStream(io.TextIOBase):
    """Renders each line once for the terminal (None: no terminal) and once for a file that is capped in size.

    It is itself a text stream, so that the supervisor's own logging writes to it like a service would.
    """

    def __init__(self, log_format: LogFormat, file: Path, terminal: TextIO | None) -> None:
        self._format = log_format
        self._terminal = terminal
        self._plain = console_renderer(colors=False)
        self._coloured = console_renderer(colors=terminal is not None and terminal.isatty())
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = _File(file, maxBytes=FILE_LIMIT_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
        self._file.terminator = ""

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self.line("up", line)
        return len(text)

    def line(self, service: str, line: str) -> None:
        """Add one line of `service`: a JSON object as our logging writes it, or text a library printed."""
        if not line.strip():
            return
        event = _parsed(line) or {"level": "error", "event": line.rstrip()}
        event.setdefault("service", service)
        event.setdefault("timestamp", datetime.now(UTC).isoformat())
        event = dict(mask_secrets(None, "", event))
        if self._terminal is not None:
            self._terminal.write(self._render(event, coloured=True))
            self._terminal.flush()
        self._file.emit(logging.makeLogRecord({"msg": self._render(event, coloured=False)}))

    def close(self) -> None:
        self._file.close()

    def _render(self, event: dict[str, Any], *, coloured: bool) -> str:
        if self._format == "json":
            return json.dumps(event, ensure_ascii=False, default=str) + "\n"
        rest = dict(event)
        clock = str(rest.pop("timestamp"))[11:23]
        service = str(rest.pop("service"))
        renderer = self._coloured if coloured else self._plain
        return f"{clock} {service:<10} {renderer(None, '', rest)!s}\n"


class _File(RotatingFileHandler):
    """On a full disk lines are lost, without a word: there would be nowhere to say it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        pass


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "event" in found else None
