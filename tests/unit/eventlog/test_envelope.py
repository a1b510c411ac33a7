"""Events on the wire: whatever goes in comes out, and nothing breaks a header."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linstock.bus.envelope import BadEnvelope, from_message, to_headers
from linstock.eventlog.record import Recorded

SUBJECT = "ev.library.default.diary.noted"

recorded_events = st.builds(
    Recorded,
    log=st.sampled_from(["library", "scanner-nas1"]),
    position=st.integers(1, 2**63 - 1),
    event_id=st.uuids(),
    type=st.just("linstock.diary.noted.v1"),
    time=st.datetimes(timezones=st.just(UTC)),
    workspace=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    aggregate=st.just("diary"),
    aggregate_id=st.uuids(),
    version=st.integers(1, 2**31),
    actor=st.text(st.characters(codec="utf-8"), max_size=50),
    correlation_id=st.uuids(),
    causation_id=st.none() | st.uuids(),
    traceparent=st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    data=st.just(msgspec.Raw(b'{"type":"linstock.diary.noted.v1"}')),
)


@given(recorded_events, st.integers(0, 2**63 - 1), st.uuids())
def test_an_event_comes_out_as_it_went_in(event: Recorded, previous: int, epoch: UUID) -> None:
    headers = to_headers(event, previous=previous, epoch=epoch)
    delivered = from_message(headers, bytes(event.data), subject=SUBJECT)
    assert (delivered.recorded, delivered.previous, delivered.epoch) == (event, previous, epoch)


@given(recorded_events)
def test_header_values_are_printable_ascii_without_quotes(event: Recorded) -> None:
    for name, value in to_headers(event, previous=0, epoch=uuid4()).items():
        assert all(0x21 <= ord(letter) < 0x7F and letter != '"' for letter in value), (name, value)


def example() -> dict[str, str]:
    event = Recorded(
        log="library",
        position=12,
        event_id=UUID(int=1),
        type="linstock.diary.noted.v1",
        time=datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2))),
        workspace="default",
        aggregate="diary",
        aggregate_id=UUID(int=2),
        version=3,
        actor="Zoë 100%",
        correlation_id=UUID(int=4),
        causation_id=None,
        traceparent=None,
        data=msgspec.Raw(b"{}"),
    )
    return to_headers(event, previous=11, epoch=UUID(int=5))


def test_the_headers_are_a_contract() -> None:
    assert example() == {
        "ce-specversion": "1.0",
        "ce-id": "00000000-0000-0000-0000-000000000001",
        "ce-type": "linstock.diary.noted.v1",
        "ce-source": "/linstock/library",
        "ce-time": "2026-03-29T01:30:00Z",
        "ce-subject": "00000000-0000-0000-0000-000000000002",
        "ce-correlationid": "00000000-0000-0000-0000-000000000004",
        "ce-actor": "Zo%C3%AB%20100%25",
        "ce-workspace": "default",
        "ls-position": "12",
        "ls-prev": "11",
        "ls-epoch": "00000000-0000-0000-0000-000000000005",
        "ls-version": "3",
        "ls-aggregate": "diary",
    }


@pytest.mark.parametrize("name", sorted(set(example()) - {"ce-specversion"}))
def test_a_missing_header_is_named(name: str) -> None:
    headers = example()
    del headers[name]
    with pytest.raises(BadEnvelope) as error:
        from_message(headers, b"{}", subject=SUBJECT)
    assert name in error.value.detail


@pytest.mark.parametrize(
    "bad", [{"ls-position": "x"}, {"ce-id": "no uuid"}, {"ce-time": "yesterday"}, {"ls-epoch": ""}]
)
def test_a_header_that_does_not_parse_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(BadEnvelope):
        from_message(example() | bad, b"{}", subject=SUBJECT)


def test_a_message_without_headers_is_refused() -> None:
    with pytest.raises(BadEnvelope):
        from_message(None, b"{}", subject=SUBJECT)
