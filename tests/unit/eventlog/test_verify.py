"""Where a stream stops being its log."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec
import pytest

from linstock.bus.envelope import Delivered
from linstock.eventlog.record import Recorded
from linstock.eventlog.verify import Break, first_break
from tests.support.diary import AT

EPOCH = UUID(int=7)


def event(position: int) -> Recorded:
    return Recorded(
        log="library",
        position=position,
        event_id=UUID(int=position),
        type="linstock.diary.noted.v1",
        time=AT,
        workspace="default",
        aggregate="diary",
        aggregate_id=UUID(int=100),
        version=position,
        actor="anna",
        correlation_id=UUID(int=200),
        causation_id=None,
        traceparent=None,
        data=msgspec.Raw(b"{}"),
    )


def chain(*events: Recorded) -> list[Delivered]:
    positions = [0, *(each.position for each in events)]
    return [
        Delivered(recorded=each, previous=before, epoch=EPOCH) for each, before in zip(events, positions, strict=False)
    ]


def test_a_stream_that_says_what_postgres_says_has_no_break() -> None:
    stored = [event(1), event(2), event(5)]
    assert first_break(EPOCH, 0, chain(*stored), stored) is None


ONE, TWO, THREE = event(1), event(2), event(3)
OTHER = msgspec.structs.replace(TWO, event_id=uuid4())
CHANGED = msgspec.structs.replace(TWO, data=msgspec.Raw(b'{"text":"changed"}'))


@pytest.mark.parametrize(
    ("delivered", "stored", "position", "reason"),
    [
        (chain(ONE, THREE)[1:], [ONE, THREE], 3, "chain is broken"),
        ([*chain(ONE), *chain(ONE)], [ONE], 1, "chain is broken"),
        (chain(ONE, THREE), [ONE, TWO, THREE], 2, "missing in EVENTS"),
        (chain(ONE, TWO, THREE), [ONE, THREE], 2, "not in Postgres"),
        (chain(ONE, TWO), [ONE, OTHER], 2, "Postgres has"),
        (chain(ONE, TWO), [ONE, CHANGED], 2, "differs from its row"),
        ([msgspec.structs.replace(chain(ONE)[0], epoch=uuid4())], [ONE], 1, "epoch"),
    ],
    ids=["gap", "double", "not relayed", "lost row", "another event", "changed body", "another epoch"],
)
def test_a_break_is_named(
    delivered: Sequence[Delivered], stored: Sequence[Recorded], position: int, reason: str
) -> None:
    found = first_break(EPOCH, 0, delivered, stored)
    assert isinstance(found, Break)
    assert found.position == position
    assert reason in found.reason
