"""What outsiders rely on stands still: committed samples decode for ever, and contracts/ says what the code says."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from linstock.bus.envelope import to_headers
from linstock.eventlog.record import Recorded
from linstock.messages.registry import EVENTS
from tests.contract import generate, lock
from tests.contract.asyncapi import HEADERS, asyncapi

SAMPLES = sorted(generate.SAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_once_published_decodes_and_means_the_same(path) -> None:  # type: ignore[no-untyped-def]
    sample = path.read_bytes()
    event = msgspec.json.decode(sample, type=EVENTS[path.stem])
    assert _as_told(msgspec.json.decode(msgspec.json.encode(event)), msgspec.json.decode(sample))


def _as_told(written: Any, told: Any) -> bool:
    """All that was told is written again; fields that were added since may stand beside it."""
    if isinstance(told, dict):
        return all(name in written and _as_told(written[name], told[name]) for name in told)
    if isinstance(told, list):
        return len(written) == len(told) and all(map(_as_told, written, told))
    return bool(written == told)


def test_no_published_sample_was_changed_or_deleted() -> None:
    assert lock.faults(generate.locked(generate.CONTRACTS), generate.checksums(generate.CONTRACTS)) == []


def test_every_event_has_its_sample_and_every_sample_its_event() -> None:
    assert {path.stem for path in SAMPLES} == set(EVENTS)


def test_contracts_are_what_make_contracts_writes(tmp_path: Path) -> None:
    """As `make contracts && git diff --exit-code` would find, and new files too."""
    again = shutil.copytree(generate.CONTRACTS, tmp_path / "contracts")
    generate.write(again)
    published, written = _files(generate.CONTRACTS), _files(again)
    different = [name for name in published | written if published.get(name) != written.get(name)]
    assert different == [], "run `make contracts`, review its diff"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", EVENTS)
def test_a_sample_is_valid_by_its_schema(name: str) -> None:
    schema = msgspec.json.decode((generate.SCHEMAS / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(msgspec.json.decode((generate.SAMPLES / f"{name}.json").read_bytes()))


def test_openapi_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(generate.openapi()).iter_errors()) == []


def test_asyncapi_is_valid() -> None:
    described = asyncapi()
    read = ApplicationSchema.model_validate(described).to_jsonable()
    assert read["channels"] == described["channels"]


def test_no_subject_of_events_holds_an_id() -> None:
    for channel in asyncapi()["channels"].values():
        assert channel["address"].count("{") <= 2  # the workspace; for receipts also the log


@pytest.mark.parametrize("caused", [True, False])
def test_the_headers_promised_are_the_headers_sent(caused: bool) -> None:
    recorded = Recorded(
        log="library", position=2, event_id=uuid4(), type="linstock.library.deleted.v1", time=datetime.now(UTC),
        workspace="default", aggregate="library", aggregate_id=uuid4(), version=1, actor="Zoë", correlation_id=uuid4(),
        causation_id=uuid4() if caused else None, traceparent="00-1-2-01" if caused else None, data=msgspec.Raw(b"{}"),
    )  # fmt: skip
    sent = to_headers(recorded, previous=1, epoch=uuid4())
    Draft202012Validator(HEADERS).validate(sent)
    assert set(sent) == set(HEADERS["properties"] if caused else HEADERS["required"])


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    described = asyncapi()
    for name in EVENTS:
        message = described["components"]["messages"][name]
        assert (generate.CONTRACTS / message["payload"]["schema"]["$ref"]).is_file()
        assert described["channels"][name]["messages"][name]["$ref"] == f"#/components/messages/{name}"
        assert described["operations"][f"receive.{name}"]["channel"]["$ref"] == f"#/channels/{name}"
