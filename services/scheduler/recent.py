"""Requests of jobs as they came by in the log: the dispatcher need not read again what was asked for just now."""

from collections import OrderedDict
from uuid import UUID

from linstock.eventlog.record import Recorded

MOST_BYTES = 32 * 1024 * 1024
OVERHEAD_BYTES = 1024  # of one, beside its data


class Recent:
    """The latest, up to 32 MiB; each is taken once."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[UUID, Recorded] = OrderedDict()
        self._bytes = 0

    def keep(self, request: Recorded) -> None:
        self._kept[request.aggregate_id] = request
        self._bytes += _size_bytes(request)
        while self._bytes > self._most_bytes:
            self._bytes -= _size_bytes(self._kept.popitem(last=False)[1])

    def take(self, job_id: UUID) -> Recorded | None:
        request = self._kept.pop(job_id, None)
        if request is not None:
            self._bytes -= _size_bytes(request)
        return request


def _size_bytes(request: Recorded) -> int:
    return len(bytes(request.data)) + OVERHEAD_BYTES
