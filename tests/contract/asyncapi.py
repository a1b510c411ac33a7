"""AsyncAPI 3.0 of what a subscriber may rely on: EVENTS, in CloudEvents binary mode, and what running scans say of
themselves. (FastStream describes what our own services consume; commands are sent over HTTP.)"""

import inspect
from typing import Any

import msgspec

from linstock import names
from linstock.messages.message import Message
from linstock.messages.progress import ScanProgress
from linstock.messages.registry import EVENTS

ABOUT = (
    "Stream EVENTS on NATS JetStream. Headers: CloudEvents 1.0 binary mode (ce-*), position and chain (ls-*)."
    " Body: JSON, a field may be added at any time. Every event comes at least once; within one log `ls-position`"
    " ascends, and `ls-prev` names the predecessor, so that a gap can be seen."
)
WORKSPACE = {"description": "Tenant", "default": names.DEFAULT_WORKSPACE}
LOG = {"description": "The log that it is about: the owner of the command, say", "enum": list(names.LOGS)}

PROGRESS = "linstock.scan.progress"

# The log that an event is in, by the module that defines it.
LOG_OF_MODULE = {
    "hints": names.SCHEDULER,
    "library": names.LIBRARY,
    "schedule": names.SCHEDULER,
    "unique": names.SCHEDULER,
    "calendar": names.SCHEDULER,
    "job": names.SCHEDULER,
    "scan": names.SCANNER,
    "catalogue": names.SCANNER,
    "contents": names.SCANNER,
    "enrichment": names.SCANNER,
    "path": names.LIBRARY,
    "receipt": "{log}",
    "retention": "{log}",
}
_TEXT = {"type": "string"}
_ID = {"type": "string", "format": "uuid"}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [
        "ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "ce-subject", "ce-correlationid", "ce-actor",
        "ce-workspace", "ls-position", "ls-prev", "ls-epoch", "ls-version", "ls-aggregate",
    ],
    "properties": {
        "ce-specversion": {"const": "1.0"},
        "ce-id": _ID,
        "ce-type": _TEXT,
        "ce-source": {**_TEXT, "examples": ["/linstock/scanner"]},
        "ce-time": {**_TEXT, "format": "date-time"},
        "ce-subject": {**_ID, "description": "The aggregate's id"},
        "ce-correlationid": _ID,
        "ce-causationid": {**_ID, "description": "The event or command that this follows from"},
        "ce-actor": {**_TEXT, "description": "Who; percent-encoded"},
        "ce-workspace": {**_TEXT, "description": "Tenant; percent-encoded"},
        "ls-position": {**_NUMBER, "description": "Position in its log; ascending, not without holes"},
        "ls-prev": {**_NUMBER, "description": "The predecessor's position in its log"},
        "ls-epoch": {**_ID, "description": "Changes when the log was replaced (restored, say): positions start anew"},
        "ls-version": {**_NUMBER, "description": "The aggregate's version, from 1 without holes"},
        "ls-aggregate": {**_TEXT, "description": "The kind of aggregate"},
        "traceparent": {**_TEXT, "description": "W3C trace context"},
    },
}  # fmt: skip


def asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Linstock events", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, event) for name, event in EVENTS.items()} | {PROGRESS: _progress_channel()},
        "operations": {
            f"receive.{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}}
            for name in (*EVENTS, PROGRESS)
        },
        "components": {
            "schemas": {"headers": HEADERS},
            "messages": {name: _message(name, event) for name, event in EVENTS.items()} | {PROGRESS: _progress()},
        },
    }


def _channel(name: str, event: type[Message]) -> dict[str, Any]:
    log = LOG_OF_MODULE[event.__module__.rpartition(".")[2]]
    return {
        "address": names.event_subject(log, "{workspace}", name),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {"workspace": WORKSPACE} | ({"log": LOG} if log == "{log}" else {}),
    }


def _progress_channel() -> dict[str, Any]:
    return {
        "address": "progress.{workspace}.{scanId}",
        "description": "Core NATS, kept nowhere: at most 4 a second of each running scan",
        "messages": {PROGRESS: {"$ref": f"#/components/messages/{PROGRESS}"}},
        "parameters": {"workspace": WORKSPACE, "scanId": {"description": "The scan's id, which is its job's"}},
    }


def _progress() -> dict[str, Any]:
    (_, components) = msgspec.json.schema_components([ScanProgress], ref_template="#/$defs/{name}")
    schema = components.pop(ScanProgress.__name__)
    return {
        "name": PROGRESS,
        "title": ScanProgress.__name__,
        "description": inspect.cleandoc(schema.pop("description")),
        "contentType": "application/json",
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
    }


def _message(name: str, event: type[Message]) -> dict[str, Any]:
    described = {"description": inspect.cleandoc(event.__doc__)} if event.__doc__ else {}
    return {
        "name": name,
        "title": event.__name__,
        **described,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"schemas/{name}.json"},
        },
    }
