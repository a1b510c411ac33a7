"""/ and the OpenAPI document"""

import msgspec
from litestar import Response, get

from services.api import openapi
from services.api.context import Asked
from services.api.dto import WelcomeDto


@get("/")
async def welcome() -> WelcomeDto:
    """Where things are."""
    return WelcomeDto(
        name="Linstock",
        openapi="/openapi.json",
        libraries="/api/v1/libraries",
        scheduled_jobs="/api/v1/scheduledjobs",
    )


@get(["/openapi.json", "/api/openapi.json"], opt={"hidden": True})
async def openapi_document(request: Asked) -> Response[bytes]:
    document = msgspec.json.encode(openapi.document(request.app))
    return Response(document, media_type="application/json")


HANDLERS = (welcome, openapi_document)
