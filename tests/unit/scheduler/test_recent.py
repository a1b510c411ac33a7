"""The latest requests are kept within a limit, and each is taken once."""

from uuid import UUID, uuid4

from msgspec import Raw

from linstock.eventlog.record import Recorded
from services.scheduler.recent import OVERHEAD_BYTES, Recent
from tests.support.schedules import NOON


def request(number: int, *, size_bytes: int = 0) -> Recorded:
    return Recorded(
        log="scheduler", position=number, event_id=uuid4(), type="linstock.job.requested.v1", time=NOON,
        workspace="default", aggregate="job", aggregate_id=UUID(int=number), version=1, actor="app",
        correlation_id=uuid4(), causation_id=None, traceparent=None, data=Raw(b"x" * size_bytes),
    )  # fmt: skip


def test_each_is_taken_once() -> None:
    recent = Recent()
    kept = request(1)
    recent.keep(kept)
    assert recent.take(UUID(int=1)) is kept
    assert recent.take(UUID(int=1)) is None


def test_the_oldest_go_when_there_is_too_much() -> None:
    recent = Recent(most_bytes=3 * OVERHEAD_BYTES)
    for number in range(1, 6):
        recent.keep(request(number))
    assert [bool(recent.take(UUID(int=number))) for number in range(1, 6)] == [False, False, True, True, True]
    recent.keep(request(6, size_bytes=10 * OVERHEAD_BYTES))
    assert recent.take(UUID(int=6)) is None
    recent.keep(request(7))
    assert recent.take(UUID(int=7)) is not None
