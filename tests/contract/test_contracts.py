"""What outsiders rely on stands still: committed samples decode for ever, and contracts/ says what the code says."""

import msgspec
import pytest

from linstock.messages.registry import EVENTS
from tests.contract import generate

SAMPLES = sorted(generate.SAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_once_published_decodes_and_means_the_same(path) -> None:  # type: ignore[no-untyped-def]
    sample = path.read_bytes()
    event = msgspec.json.decode(sample, type=EVENTS[path.stem])
    written = msgspec.to_builtins(event)
    told = msgspec.json.decode(sample)
    assert {name: written[name] for name in told} == told


def test_every_event_has_its_sample_and_no_sample_was_deleted() -> None:
    assert {path.stem for path in SAMPLES} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_the_schema_is_the_codes(name: str) -> None:
    published = (generate.SCHEMAS / f"{name}.json").read_bytes()
    assert published == generate.pretty(generate.schema_of(name, EVENTS[name])), "run `make contracts`, review its diff"


def test_openapi_is_the_codes() -> None:
    published = (generate.CONTRACTS / "openapi.json").read_bytes()
    assert published == generate.pretty(generate.openapi()), "run `make contracts`, review its diff"


def test_asyncapi_is_the_codes() -> None:
    published = (generate.CONTRACTS / "asyncapi.yaml").read_bytes()
    assert published == msgspec.yaml.encode(generate.asyncapi()), "run `make contracts`, review its diff"


def test_no_subject_of_events_holds_an_id() -> None:
    for channel in generate.asyncapi()["channels"].values():
        assert channel["address"].count("{") <= 2  # the workspace; for receipts also the log
