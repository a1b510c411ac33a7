"""Pages of a list: `page` from 1, `pageSize` 1 to 200."""

from typing import Any, TypeVar

from litestar import Request
from msgspec import Struct

from services.api.dto import Page
from services.api.problems import FieldError, invalid

T = TypeVar("T")

DEFAULT_SIZE = 20
LARGEST_SIZE = 200
LAST_PAGE = 10_000_000


class Window(Struct, frozen=True):
    """Which part of a list is wanted."""

    page: int
    size: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    def of(self, data: list[T], total: int) -> Page[T]:
        pages = -(-total // self.size)
        return Page(data=data, total_count=total, page=self.page, page_size=self.size, total_pages=pages)


def window_of(request: Request[Any, Any, Any]) -> Window:
    """From the query; raises Problem 422 naming every parameter that is wrong."""
    errors: list[FieldError] = []
    page = _number(request.query_params.getall("page", []), "page", 1, LAST_PAGE, errors)
    size = _number(request.query_params.getall("pageSize", []), "pageSize", DEFAULT_SIZE, LARGEST_SIZE, errors)
    if errors:
        raise invalid(*errors)
    return Window(page, size)


def _number(given: list[str], name: str, default: int, largest: int, errors: list[FieldError]) -> int:
    if not given:
        return default
    text = given[0]
    # isdigit alone would let int() fail on superscripts; nine digits are beyond every limit.
    if len(given) > 1 or not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= largest:
        errors.append(FieldError(name, f"a whole number from 1 to {largest}, given once"))
        return default
    return int(text)
