"""The OpenAPI document, which Litestar makes of the routes and the Structs they take and give."""

from typing import Any, cast

import msgspec
from litestar.serialization import encode_json

from services.api import http
from services.api.callers import Callers
from services.api.context import Context


def document() -> dict[str, Any]:
    """As plain data, without a server or a database; the same on every machine."""
    # Nothing is asked of it.
    app = http.make(cast(Context, None), host="127.0.0.1", callers=cast(Callers, None))
    plain = msgspec.json.decode(encode_json(app.openapi_schema.to_schema()))
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plain, order="sorted"))  # it keeps some in sets
    return described
