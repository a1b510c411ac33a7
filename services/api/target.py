"""What a request's first lines may be, wherever it goes."""

import re
from collections import Counter
from typing import Any
from urllib.parse import unquote_to_bytes

from services.api.problems import Problem

URL_LIMIT_BYTES = 8 * 1024
HEADERS_LIMIT = 100
ONCE = frozenset({b"content-type", b"host", b"idempotency-key", b"if-match", b"linstock-position", b"traceparent"})

_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def check(scope: Any) -> None:
    """Raises Problem: 400, 414, 431."""
    _check_url(scope["raw_path"], scope["query_string"])
    headers = scope["headers"]
    if len(headers) > HEADERS_LIMIT:
        raise Problem(431, "headers-too-large", f"A request has at most {HEADERS_LIMIT} headers.")
    for name, count in Counter(name for name, _ in headers).items():
        if count > 1 and name in ONCE:
            raise Problem(400, "repeated-header", f"{name.decode().title()} is given {count} times.")


def _check_url(path: bytes, query: bytes) -> None:
    if len(path) + len(query) > URL_LIMIT_BYTES:
        raise Problem(414, "url-too-long", f"A URL has at most {URL_LIMIT_BYTES} bytes.")
    for part in (path, query):
        if _BROKEN.search(part):
            raise Problem(400, "malformed-url", "After a % in a URL come two hexadecimal digits.")
        plain = unquote_to_bytes(part)
        if b"\0" in plain:
            raise Problem(400, "malformed-url", "A URL has no NUL character.")
        try:
            plain.decode()
        except UnicodeDecodeError as error:
            raise Problem(400, "malformed-url", "A URL is UTF-8.") from error
