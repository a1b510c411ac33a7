"""What the OpenAPI document says of answers: the problems a route may answer with, and "later"."""

from dataclasses import dataclass
from typing import Any

from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation, RequestBody

from services.api import freshness
from services.api.dto.operations import OperationDto
from services.api.problems import CONTENT_TYPE, ProblemBody, title_of

_ANYWHERE = (400, 401, 403, 408, 414, 422, 431, 500, 503)
_BODY = (413, 415)

LATER = ResponseSpec(
    OperationDto, generate_examples=False, description="Stored, and done later: `Location` says where its outcome is"
)
TO_PAGE = ResponseSpec(None, generate_examples=False, description="To the page, for who asks for HTML")
NOTHING = ResponseSpec(None, generate_examples=False, description="Done")
UNCHANGED = ResponseSpec(None, generate_examples=False, description="You have it: see If-None-Match")
LOCATION = ResponseHeader("Location", documentation_only=True, value="", required=True, description="Where it is")
POSITION = ResponseHeader(
    freshness.HEADER,
    documentation_only=True,
    value="",
    description="Where the effect is; a GET with it shows it",
)
ETAG = ResponseHeader(
    "ETag",
    documentation_only=True,
    value="",
    description="For If-None-Match and, where something can be edited, If-Match",
)


def reading(*statuses: int) -> dict[int, ResponseSpec]:
    return {304: UNCHANGED, **_problems(*_ANYWHERE, *statuses)}


def command(*statuses: int, body: bool = False) -> dict[int, ResponseSpec]:
    return {202: LATER, **problems(*statuses, body=body)}


def problems(*statuses: int, body: bool = False) -> dict[int, ResponseSpec]:
    return _problems(*_ANYWHERE, *(_BODY if body else ()), *statuses)


def _problems(*statuses: int) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            ProblemBody, generate_examples=False, description=title_of(status), media_type=CONTENT_TYPE
        )
        for status in sorted(set(statuses))
    }


@dataclass
class BodyOptional(Operation):
    """Litestar calls every body required."""

    def __post_init__(self) -> None:
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = False


def operation_id(handler: Any, method: Any, path: Any) -> str:
    """Stable while a handler keeps its name: generated clients call their methods so. What is served under two paths,
    or by two methods, has two."""
    name: str = handler.handler_name
    if "schedules" in map(str, path):
        name = name.replace("scheduled_job", "schedule")
    return name.replace("change_", "put_", 1) if method == "PUT" else name
