"""Conditional requests (RFC 9110, section 13): "only if it changed", and "only if nobody else changed it".

An entity tag is `"<hash>"`, of the very bytes of a representation; of what can be edited, `"<version>-<hash>"`. What a
reader sees also changes by itself (lastRunAt, nextRunAt), so If-None-Match compares the whole tag, and If-Match the
version alone: a run that ended is no edit to be lost. `"<version>"`, without a hash, is therefore as good.
"""

import hashlib
import re
from typing import Annotated, Any, TypeAlias

from litestar import Response
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import HeaderParameter
from litestar.serialization import encode_json
from litestar.types import Message, Scope
from msgspec import Struct

from services.api.problems import Problem

NEVER = 0  # no version is

_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"(?:W/)?{_TAG.pattern}(?:[ \t]*,[ \t]*(?:W/)?{_TAG.pattern}){{0,63}}")
_VERSION = re.compile(r'(?<!W/)"(\d{1,18})(?:-[0-9a-f]+)?"', re.ASCII)
_SAFE = ("GET", "HEAD")

# What a handler of an edit asks for.
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="Entity tags of the versions that may be changed, or `*`; 412 if it is another by now.",
        schema_extra={
            "one_of": None,
            "type": OpenAPIType.STRING,
            "format": "entity-tags",
            "pattern": r'^(\*|(W/)?"[\x21\x23-\x7e]*"( *, *(W/)?"[\x21\x23-\x7e]*"){0,63})$',
        },
    ),
]


def versions(if_match: str | None) -> tuple[int, ...]:
    """The versions that may be changed; empty: any. Weak tags never match. Raises Problem 400."""
    if if_match is None or if_match.strip() == "*":
        return ()
    if not _TAGS.fullmatch(if_match.strip()):
        detail = 'If-Match is * or up to 64 entity tags, such as "12-0a1b2c3d4e5f6071".'
        raise Problem(400, "malformed-if-match", detail)
    return tuple(int(version) for version in _VERSION.findall(if_match)) or (NEVER,)


def tag(shown: Struct) -> str:
    """The entity tag of what is shown."""
    return _tag(shown, encode_json(shown))


async def add_tag(response: Response[Any]) -> Response[Any]:
    """Litestar's hook after each handler."""
    if response.status_code == 200 and isinstance(response.content, Struct):
        body = encode_json(response.content)
        response.headers.setdefault("ETag", _tag(response.content, body))
        response.headers.setdefault("Cache-Control", "private, no-cache")  # may be kept, is asked for again each time
        response.content = body
    return response


async def not_modified(message: Message, scope: Scope) -> None:
    """Litestar's hook before each message of an answer: 304 without a body for who has it already. A malformed
    If-None-Match matches nothing: the answer is only longer."""
    state: dict[str, Any] = scope["state"]
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        own = message["status"] == 200 and scope.get("method") in _SAFE and headers.get("etag")
        if own and _has(Headers.from_scope(scope).getall("if-none-match", []), own):
            state["not_modified"] = True
            message["status"] = 304
            for name in ("content-length", "content-type"):
                headers.pop(name, None)
    elif message["type"] == "http.response.body" and state.get("not_modified"):
        message["body"] = b""


def _has(lines: list[str], own: str) -> bool:
    return any(line.strip() == "*" or own in _TAG.findall(line) for line in lines)


def _tag(shown: Struct, body: bytes) -> str:
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    version = getattr(shown, "version", None)
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'
