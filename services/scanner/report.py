"""The first 200 items of a scan's report, within a size that an event can carry."""

import msgspec

from linstock.messages.scan import ReportItem
from services.scanner.images import displayed
from services.scanner.listing import Trouble

REPORT_LIMIT = 200
REPORT_LIMIT_BYTES = 256 * 1024
PATH_SHOWN_BYTES = 1024
MESSAGE_LIMIT = 500


class Report:
    """`count` counts all troubles, whether they are kept or not."""

    def __init__(self) -> None:
        self.count = 0
        self._items: list[ReportItem] = []
        self._size_bytes = 0

    def add(self, trouble: Trouble) -> None:
        self.count += 1
        if len(self._items) >= REPORT_LIMIT:
            return
        path, path_bytes = displayed(trouble.path, limit_bytes=PATH_SHOWN_BYTES)
        if len(trouble.path) > PATH_SHOWN_BYTES:
            path_bytes = None  # there may be two hundred
        item = ReportItem(code=trouble.code, path=path, path_bytes=path_bytes, message=trouble.message[:MESSAGE_LIMIT])
        self._size_bytes += len(msgspec.json.encode(item))
        if self._size_bytes <= REPORT_LIMIT_BYTES:
            self._items.append(item)

    def items(self, notes: list[ReportItem]) -> tuple[ReportItem, ...]:
        """The notes, which are few, and the first troubles."""
        return (*notes, *self._items)[:REPORT_LIMIT]


def note(code: str, message: str) -> ReportItem:
    return ReportItem(code=code, path="", message=message)
