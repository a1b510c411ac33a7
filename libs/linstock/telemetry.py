"""Logs of one process: structlog for us, the same stream for libraries, secrets masked.

Metrics need nothing from here: a `prometheus_client` metric made anywhere appears on `/metrics`.
Tracing is in `linstock.tracing`; what is logged inside a span carries its `trace_id`.
"""

import io
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from linstock import tracing
from linstock.settings import LogFormat

MASK = "***"
_SECRET_NAMES = frozenset({"password", "token", "secret", "credential", "authorization", "api_key"})
_IN_TEXT = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE), rf"\1:{MASK}@"),
    (re.compile(r"(\b(?:nats|tls)://)[^\s:/@]+@", re.IGNORECASE), rf"\1{MASK}@"),  # one word before the @ is a token
    (re.compile(r"([?&](?:password|sslpassword|passfile)=)[^\s&'\"]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\blinstock_[A-Za-z0-9_-]{43}"), f"linstock_{MASK}"),
)

# Libraries that tell each of their steps at INFO; ours say the same once, with names that mean something.
_QUIET = ("nats", "faststream", "uvicorn", "httpx", "asyncio")


def configure_logging(log_format: LogFormat, service: str, stream: TextIO | io.TextIOBase | None = None) -> None:
    """Send structlog and stdlib logging to `stream` (stderr by default), one line an event. Call once."""
    out = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        _traced,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler: logging.Handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_render(log_format, out)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # While Postgres is away its pools warn with a traceback at every try; whoever asked them says it in one line.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)


def console_renderer(*, colors: bool) -> Processor:
    """How a line looks to a person; `linstock up` renders the services' JSON lines with it."""
    return structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=30, exception_formatter=structlog.dev.plain_traceback
    )


def masked(text: str) -> str:
    """The text without the passwords inside its URLs and without access tokens."""
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def mask_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace passwords inside URLs, access tokens, and values whose name says that they are secret."""
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: object) -> object:
    if name.lower() in _SECRET_NAMES:
        return MASK
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", item) for item in value]
    if isinstance(value, BaseException):
        return masked(str(value))
    return value


def _named(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add


def _traced(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if trace_id := tracing.trace_id():
        event.setdefault("trace_id", trace_id)
    return event


def _render(log_format: LogFormat, stream: TextIO | io.TextIOBase) -> list[Processor]:
    # Tracebacks become text first, so that masking sees what they quote.
    text: list[Processor] = [structlog.processors.format_exc_info, mask_secrets]
    if log_format == "json":
        return [*text, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    return [*text, console_renderer(colors=stream.isatty())]
