"""/ and the OpenAPI document"""

from litestar import Response, get

from services.api import answers, document
from services.api.context import Asked
from services.api.dto import WelcomeDto


@get("/", responses=answers.reading())
async def welcome() -> WelcomeDto:
    """Where things are."""
    return WelcomeDto(
        name="Linstock",
        openapi="/openapi.json",
        libraries="/api/v1/libraries",
        scheduled_jobs="/api/v1/scheduledjobs",
    )


@get(["/openapi.json", "/api/openapi.json"], include_in_schema=False)
async def openapi_document(request: Asked) -> Response[bytes]:
    return Response(document.of(request.app), media_type="application/json")


HANDLERS = (welcome, openapi_document)
