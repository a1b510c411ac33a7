"""`make contracts`: what outsiders rely on, written from the code into contracts/. Review its diff like an API change.

A sample that stands is never rewritten: the code must decode it for ever, and samples.lock knows it. A changed shape
needs a new version of the event beside the old one.
"""

import hashlib
import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from linstock.messages.message import Message
from linstock.messages.registry import EVENTS
from tests.contract import lock
from tests.contract.asyncapi import asyncapi
from tests.contract.samples import sample_of

CONTRACTS = Path(__file__).parents[2] / "contracts"
SCHEMAS = CONTRACTS / "schemas"
SAMPLES = CONTRACTS / "samples"
LOCK = "samples.lock"


def main() -> int:
    write(CONTRACTS)
    faults = lock.faults(locked(CONTRACTS), checksums(CONTRACTS))
    print("\n".join(faults) or f"{len(EVENTS)} events, OpenAPI and AsyncAPI are in {CONTRACTS.name}/")
    return 1 if faults else 0


def write(folder: Path) -> None:
    schemas, samples = folder / "schemas", folder / "samples"
    for made in (schemas, samples):
        made.mkdir(parents=True, exist_ok=True)
    for path in schemas.glob("*.json"):
        if path.stem not in EVENTS:
            path.unlink()
    for name, event in EVENTS.items():
        (schemas / f"{name}.json").write_bytes(pretty(schema_of(name, event)))
        sample = samples / f"{name}.json"
        if not sample.exists() and name not in locked(folder):
            sample.write_bytes(pretty(sample_of(event)))
    (folder / LOCK).write_text(lock.written(lock.extended(locked(folder), checksums(folder))))
    (folder / "openapi.json").write_bytes(pretty(openapi()))
    (folder / "asyncapi.yaml").write_bytes(msgspec.yaml.encode(asyncapi()))


def locked(folder: Path) -> dict[str, str]:
    found = folder / LOCK
    return lock.read(found.read_text()) if found.exists() else {}


def checksums(folder: Path) -> dict[str, str]:
    samples = (folder / "samples").glob("*.json")
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in samples}


def pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def schema_of(name: str, event: type[Message]) -> dict[str, Any]:
    """JSON Schema 2020-12 of one event's body, self-contained."""
    (_, components) = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    for component in components.values():
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    own = components.pop(event.__name__)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, **own, "$defs": components}


def openapi() -> dict[str, Any]:
    from services.api.document import document  # imported late: the API is heavy, schemas and samples are not

    return document()


if __name__ == "__main__":
    sys.exit(main())
