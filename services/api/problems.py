"""RFC 9457 problem+json on every error path, each with a stable `code`."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec
import nats.errors
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from nats.js.errors import APIError

from linstock import tracing
from linstock.bus.commands import BusAway
from linstock.disk import DiskFull

logger = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
DISK_RETRY_AFTER_S = 30
SAY_AGAIN_S = 10.0
CONTENT_TYPE = "application/problem+json"

_CODES = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    409: "conflict",
    410: "gone",
    412: "precondition-failed",
    413: "body-too-large",
    414: "url-too-long",
    415: "unsupported-media-type",
    422: "invalid",
    431: "headers-too-large",
    500: "internal",
    503: "unavailable",
}
DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a server that died while it was being connected to
    asyncpg.UndefinedTableError,  # the projection has not made its tables yet
    asyncpg.InvalidSchemaNameError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
    ConnectionError,
    TimeoutError,
    OSError,
)
_BUS_AWAY = (BusAway, nats.errors.Error, APIError)


_said_until: dict[str, float] = {}


class FieldError(msgspec.Struct, frozen=True):
    """`pointer` is a JSON pointer into the body, such as `#/cronExpression`; or `parameter` is a parameter's name."""

    detail: str
    pointer: str | msgspec.UnsetType = msgspec.UNSET
    parameter: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def where(self) -> str:
        return self.pointer or self.parameter or "#"


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """RFC 9457. `code` is stable; `detail` is for people; `traceId` finds the request in the log."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    trace_id: str
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):
    """A request that can't be done."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = tuple(errors), dict(headers or {})


def not_found(what: str, name: object) -> Problem:
    return Problem(404, f"{what.replace(' ', '-')}-not-found", f"There is no {what} {name}.")


def wrong(*path: str, detail: str) -> FieldError:
    """A field of the body, such as "name", or "rules", "2", "name"; without a path the body itself."""
    return FieldError(detail, pointer="".join(["#", *("/" + _escaped(step) for step in path)]))


def _escaped(step: str) -> str:
    """RFC 6901, section 6: a pointer in a URI fragment."""
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


def invalid(*errors: FieldError) -> Problem:
    return Problem(422, "invalid", "; ".join(f"{error.where}: {error.detail}" for error in errors), errors=errors)


def unavailable(code: str, detail: str, *, retry_after_s: int = RETRY_AFTER_S) -> Problem:
    return Problem(503, code, detail, headers={"Retry-After": str(retry_after_s)})


def problem_of(error: Exception) -> Problem:
    """What a caller is told of `error`. Nothing of our insides."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationException):
        return _invalid_parameters(error)
    if isinstance(error, HTTPException):
        code = _CODES.get(error.status_code, f"http-{error.status_code}")
        return Problem(error.status_code, code, _detail(error), headers=error.headers)
    if isinstance(error, DiskFull):
        sentence = f"Nothing was changed: {error.sentence}."
        return unavailable("disk-full", sentence, retry_after_s=DISK_RETRY_AFTER_S)
    # Before the database's: BusAway's cause may be an OSError, and nats has its own time-outs.
    if isinstance(error, _BUS_AWAY):
        return unavailable("bus-unavailable", "The command could not be stored; send it again under the same key.")
    if isinstance(error, DATABASE_AWAY):
        return unavailable("database-unavailable", "The read models can't be reached; try again soon.")
    return Problem(500, "internal", "Something went wrong here; it is in the log.")


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    problem = problem_of(error)
    if problem.status >= 500:
        path, method = request.url.path, request.method
        # What is away is said by readiness; a traceback for each caller would only bury it.
        unknown = problem.status == 500
        if unknown or _worth_saying(problem.code):
            logger.error(
                "Request failed", method=method, path=path, code=problem.code, exc_info=error if unknown else None
            )
    return Response(
        encoded(problem),
        status_code=problem.status,
        media_type=CONTENT_TYPE,
        headers={**problem.headers, "Cache-Control": "no-store"},
    )


def _worth_saying(code: str) -> bool:
    """Callers who ask again and again must not fill the log with what is away."""
    now = time.monotonic()
    if now < _said_until.get(code, now):
        return False
    _said_until[code] = now + SAY_AGAIN_S
    return True


def encoded(problem: Problem) -> bytes:
    """As it goes over the wire."""
    body = ProblemBody(
        type=f"urn:linstock:problem:{problem.code}",
        title=title_of(problem.status),
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        trace_id=tracing.trace_id(),
        errors=problem.errors,
    )
    return msgspec.json.encode(body)


def title_of(status: int) -> str:
    """Not Python's phrase, which changes with its version."""
    return _CODES.get(status, "problem").replace("-", " ").capitalize()


def _detail(error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return "There is nothing at this path; see /openapi.json."
        case 405:
            return "This path does not take this method; see the Allow header."
        case 413:
            return "A body has at most 1 MiB."
        case 500:
            return "Something went wrong here; it is in the log."
        case _:
            return error.detail


def _invalid_parameters(error: ValidationException) -> Problem:
    """Of what Litestar found wrong. A body was checked before, so of a body it only says that there is none."""
    found = [item for item in error.extra if isinstance(item, dict)] if isinstance(error.extra, list) else []
    if not found:
        return Problem(422, "invalid", error.detail)
    if any(item.get("source") == "body" for item in found):
        return Problem(400, "malformed", "A JSON body is needed.")
    return invalid(*(FieldError(str(item.get("message")), parameter=_camel(str(item.get("key")))) for item in found))


def _camel(argument: str) -> str:
    """Parameters are named as the arguments that take them."""
    first, *rest = argument.split("_")
    return first + "".join(map(str.capitalize, rest))
