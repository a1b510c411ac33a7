"""/ and the OpenAPI document"""

from typing import Any

from litestar import MediaType, Response, get

from services.api import answers, docs
from services.api.context import Asked
from services.api.dto.root import WelcomeDto


@get("/", responses={303: answers.TO_PAGE, **answers.reading()})
async def welcome(request: Asked) -> Response[WelcomeDto]:
    """Where things are. A browser is led to the page that shows them."""
    vary = {"Vary": "Accept"}
    if request.accept.best_match([MediaType.JSON, MediaType.HTML]) == MediaType.HTML:
        return Response(None, status_code=303, headers={**vary, "Location": docs.PATH})  # type: ignore[arg-type]
    where = WelcomeDto(
        name="Linstock",
        docs=docs.PATH,
        openapi="/openapi.json",
        libraries="/api/v1/libraries",
        scheduled_jobs="/api/v1/scheduledjobs",
        events="/api/v1/events",
    )
    return Response(where, status_code=200, headers=vary)


@get(["/openapi.json", "/api/openapi.json"], include_in_schema=False)
async def openapi_document(request: Asked) -> dict[str, Any]:
    return request.app.openapi_schema.to_schema()


HANDLERS = (welcome, openapi_document)
