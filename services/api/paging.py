"""Pages of a list: `page` from 1, `pageSize` 1 to 200."""

from typing import Annotated, TypeVar

from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from msgspec import Struct

from services.api.dto.wire import Page

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


async def window(
    page: Annotated[int, QueryParameter(ge=1, le=LAST_PAGE)] = 1,
    page_size: Annotated[int, QueryParameter(name="pageSize", ge=1, le=LARGEST_SIZE)] = DEFAULT_SIZE,
) -> Window:
    return Window(page, page_size)


# What a handler of a list asks for, and what provides it.
Wanted = NamedDependency[Window]
PAGED = {"window": Provide(window)}
