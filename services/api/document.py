"""The OpenAPI document, which Litestar makes of the routes and the Structs they take and give."""

from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.serialization import encode_json


def of(app: Litestar) -> bytes:
    return encode_json(app.openapi_schema.to_schema())


def document() -> dict[str, Any]:
    """As plain data, without a server or a database; the same on every machine."""
    from services.api import http  # it serves this document, so it can't be imported above
    from services.api.context import Context

    app = http.make(cast(Context, None), host="127.0.0.1")
    # Litestar keeps some of it in sets.
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(of(app)), order="sorted"))
    return described
