"""/ and the OpenAPI document"""

from typing import Any

from litestar import get

from services.api import answers
from services.api.context import Asked
from services.api.dto.root import WelcomeDto


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
async def openapi_document(request: Asked) -> dict[str, Any]:
    return request.app.openapi_schema.to_schema()


HANDLERS = (welcome, openapi_document)
