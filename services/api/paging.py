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


class Stretch(Struct, frozen=True):
    """`size` items after the first `skip`, counted from the end of the list (and then read backwards) or not."""

    skip: int
    size: int
    from_end: bool


class Window(Struct, frozen=True):
    """Which part of a list is wanted."""

    page: int
    size: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    def stretch(self, total: int) -> "Stretch":
        """Where to read it, if there are `total` items: from the end that is nearer, which may be half the way."""
        size = max(0, min(self.size, total - self.offset))
        before, after = self.offset, max(0, total - self.offset - size)
        return Stretch(before, size, from_end=False) if before <= after else Stretch(after, size, from_end=True)

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
