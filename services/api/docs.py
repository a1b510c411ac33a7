"""The page that shows the OpenAPI document: Swagger UI, from files of this package. It loads nothing from elsewhere."""

import hashlib
from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import OpenAPIRenderPlugin
from msgspec import Struct

STATIC = Path(__file__).with_name("static")
PATH = "/docs"
ASSETS = f"{PATH}/assets"
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " object-src 'none'"
)
A_YEAR = "public, max-age=31536000, immutable"

_FILES = {
    "docs.js": "text/javascript",
    "swagger-ui/swagger-ui-bundle.js": "text/javascript",
    "swagger-ui/swagger-ui.css": "text/css",
    "swagger-ui/favicon-32x32.png": "image/png",
}


class Asset(Struct, frozen=True):
    """`version` is of the content, and in the address: what has been loaded once is never asked for again."""

    content: bytes
    media_type: str
    version: str


def _read(name: str, media_type: str) -> Asset:
    content = (STATIC / name).read_bytes()
    return Asset(content, media_type, hashlib.sha256(content).hexdigest()[:16])


def _page(assets: dict[str, Asset]) -> bytes:
    page = (STATIC / "docs.html").read_text()
    for name, asset in assets.items():
        page = page.replace(f'"{ASSETS}/{name}"', f'"{ASSETS}/{name}?v={asset.version}"')
    return page.encode()


_ASSETS = {name.rpartition("/")[2]: _read(name, media_type) for name, media_type in _FILES.items()}
_PAGE = _page(_ASSETS)


class Page(OpenAPIRenderPlugin):
    """Litestar shows it at /docs."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        return _PAGE


async def asset(request: Request[Any, Any, Any]) -> Response[bytes]:
    found = _ASSETS.get(request.path_params["name"])
    if found is None:
        raise NotFoundException
    headers = {"ETag": f'"{found.version}"', "Cache-Control": A_YEAR, "X-Content-Type-Options": "nosniff"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def router() -> Router:
    """What Litestar adds its pages to. It answers what is not there with a page of its own; we with a problem."""
    handler = get("/assets/{name:str}", name="docs_asset", include_in_schema=False)(asset)
    return Router(PATH, route_handlers=[handler], include_in_schema=False, after_request=_after)


async def _after(response: Response[bytes]) -> Response[bytes]:
    if response.status_code == 404:
        raise NotFoundException
    if response.media_type == "text/html":
        response.headers["Content-Security-Policy"] = POLICY
        response.headers.setdefault("Cache-Control", "no-cache")
    return response
