"""`make contracts`: what outsiders rely on, written from the code into contracts/. Review its diff like an API change.

A sample that stands is never rewritten: the code must decode it for ever. A changed shape needs a new version of the
event beside the old one.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import NODEFAULT, Raw, Struct

from linstock import names
from linstock.messages.message import Message
from linstock.messages.registry import EVENTS

CONTRACTS = Path(__file__).parents[2] / "contracts"
SCHEMAS = CONTRACTS / "schemas"
SAMPLES = CONTRACTS / "samples"


def main() -> int:
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for name, event in EVENTS.items():
        (SCHEMAS / f"{name}.json").write_bytes(pretty(schema_of(name, event)))
        sample = SAMPLES / f"{name}.json"
        if not sample.exists():
            sample.write_bytes(pretty(msgspec.to_builtins(sample_of(event))))
    (CONTRACTS / "openapi.json").write_bytes(pretty(openapi()))
    (CONTRACTS / "asyncapi.yaml").write_bytes(msgspec.yaml.encode(asyncapi()))
    print(f"{len(EVENTS)} events, OpenAPI and AsyncAPI are in {CONTRACTS.name}/")
    return 0


def pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def schema_of(name: str, event: type[Message]) -> dict[str, Any]:
    """JSON Schema 2020-12 of one event's body, self-contained."""
    (_, components) = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    own = components.pop(event.__name__)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, **own, "$defs": components}


def sample_of(kind: Any, field: str = "") -> Any:
    """A value of this type that is the same on every machine: ids from the field's name, a fixed instant."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return sample_of(arguments[0], field)
    if origin is tuple:
        return (sample_of(arguments[0], field),)
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind)
        return kind(**{each.name: _field(each, hints[each.name]) for each in msgspec.structs.fields(kind)})
    return _plain(kind, field)


def _field(field: msgspec.structs.FieldInfo, kind: Any) -> Any:
    if field.name.endswith("_bytes") and bytes in get_args(kind):
        return None  # only there when a name is not UTF-8
    if field.default is not NODEFAULT and isinstance(field.default, str | int | bool) and field.default:
        return field.default
    return sample_of(kind, field.name)


def _plain(kind: Any, field: str) -> Any:
    if kind is UUID:
        return names.derived_id("sample", field)
    samples: dict[Any, Any] = {
        datetime: datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        str: f"a {field.replace('_', ' ')}",
        int: 1,
        bool: True,
        Raw: Raw(b'{"any":"JSON"}'),
        bytes: b"",
    }
    return samples[kind]


def openapi() -> dict[str, Any]:
    from services.api.document import document  # imported late: the API is heavy, samples are not

    described: dict[str, Any] = document()
    return described


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of what a subscriber may rely on: EVENTS, in CloudEvents binary mode. (FastStream describes what our
    own services consume; outsiders are promised the events.)"""
    channels = {
        name: {
            "address": names.event_subject(_log_of(name), "{workspace}", name),
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "parameters": {"workspace": {"description": "tenant; `default` unless there are several"}},
        }
        for name in EVENTS
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Linstock events",
            "version": "1",
            "description": "Stream EVENTS on JetStream. Headers: CloudEvents 1.0 binary mode (ce-*), position and "
            "chain (ls-position, ls-prev, ls-epoch, ls-version). Body: JSON by the schema named.",
        },
        "channels": channels,
        "operations": {
            f"receive.{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}} for name in channels
        },
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "contentType": "application/json",
                    "headers": HEADERS,
                    "payload": {"$ref": f"schemas/{name}.json"},
                }
                for name in channels
            }
        },
    }


HEADERS = {
    "type": "object",
    "required": ["ce-id", "ce-type", "ce-source", "ce-time", "ce-subject", "ls-position", "ls-prev", "ls-epoch"],
    "properties": {
        "ce-id": {"type": "string", "format": "uuid"},
        "ce-type": {"type": "string"},
        "ce-source": {"type": "string", "examples": ["/linstock/scanner"]},
        "ce-time": {"type": "string", "format": "date-time"},
        "ce-subject": {"type": "string", "description": "the aggregate's id"},
        "ce-correlationid": {"type": "string"},
        "ce-causationid": {"type": "string"},
        "ce-actor": {"type": "string"},
        "ce-workspace": {"type": "string"},
        "ls-position": {"type": "string", "pattern": "^[0-9]+$"},
        "ls-prev": {"type": "string", "pattern": "^[0-9]+$", "description": "the predecessor's position in its log"},
        "ls-epoch": {"type": "string", "format": "uuid"},
        "ls-version": {"type": "string", "pattern": "^[0-9]+$", "description": "the aggregate's version"},
        "traceparent": {"type": "string"},
    },
}

LOG_OF_MODULE = {
    "library": names.LIBRARY,
    "schedule": names.SCHEDULER,
    "job": names.SCHEDULER,
    "scan": names.SCANNER,
    "catalogue": names.SCANNER,
    "receipt": "{log}",
}


def _log_of(name: str) -> str:
    return LOG_OF_MODULE[EVENTS[name].__module__.rpartition(".")[2]]


if __name__ == "__main__":
    sys.exit(main())
