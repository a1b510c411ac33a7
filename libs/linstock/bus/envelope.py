"""Events on the wire: CloudEvents 1.0 in binary mode, in NATS headers. The body is the event's own JSON.

Header values are percent-encoded as CloudEvents asks (space, double quote, percent and everything that is not
printable ASCII), so no actor's name can break a header or add one.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote
from uuid import UUID

from msgspec import Raw, Struct

from linstock.eventlog.record import Recorded

SOURCE = "/linstock/"  # and the name of the log

_PLAIN = re.compile(r"[!#$&-~]*")
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class Delivered(Struct, frozen=True, kw_only=True):
    """An event as it arrived. `previous` is the position of the event before it in its log (0: it is the first)."""

    recorded: Recorded
    previous: int
    epoch: UUID


class BadEnvelope(Exception):
    """A message on an event subject lacks a header or has one that does not parse."""

    def __init__(self, subject: str, detail: str) -> None:
        super().__init__(f"{self.__doc__} {subject}: {detail}")
        self.subject = subject
        self.detail = detail


def to_headers(recorded: Recorded, *, previous: int, epoch: UUID) -> dict[str, str]:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(recorded.event_id),
        "ce-type": recorded.type,
        "ce-source": f"{SOURCE}{recorded.log}",
        "ce-time": _time(recorded.time),
        "ce-subject": str(recorded.aggregate_id),
        "ce-correlationid": str(recorded.correlation_id),
        "ce-actor": _encoded(recorded.actor),
        "ce-workspace": _encoded(recorded.workspace),
        "ls-position": str(recorded.position),
        "ls-prev": str(previous),
        "ls-epoch": str(epoch),
        "ls-version": str(recorded.version),
        "ls-aggregate": recorded.aggregate,
    }
    if recorded.causation_id is not None:
        headers["ce-causationid"] = str(recorded.causation_id)
    if recorded.traceparent is not None:
        headers["traceparent"] = _encoded(recorded.traceparent)
    return headers


def from_message(headers: Mapping[str, str] | None, data: bytes, *, subject: str) -> Delivered:
    """Raises BadEnvelope. Other headers (NATS's own, later additions) are ignored."""
    if not headers:
        raise BadEnvelope(subject, "no headers")
    try:
        return Delivered(
            recorded=_recorded(headers, data), previous=int(headers["ls-prev"]), epoch=UUID(headers["ls-epoch"])
        )
    except KeyError as error:
        raise BadEnvelope(subject, f"no {error.args[0]}") from error
    except ValueError as error:
        raise BadEnvelope(subject, str(error)) from error


def _recorded(headers: Mapping[str, str], data: bytes) -> Recorded:
    causation = headers.get("ce-causationid")
    traceparent = headers.get("traceparent")
    return Recorded(
        log=headers["ce-source"].removeprefix(SOURCE),
        position=int(headers["ls-position"]),
        event_id=UUID(headers["ce-id"]),
        type=headers["ce-type"],
        time=datetime.fromisoformat(headers["ce-time"]),
        workspace=unquote(headers["ce-workspace"]),
        aggregate=headers["ls-aggregate"],
        aggregate_id=UUID(headers["ce-subject"]),
        version=int(headers["ls-version"]),
        actor=unquote(headers["ce-actor"]),
        correlation_id=UUID(headers["ce-correlationid"]),
        causation_id=UUID(causation) if causation else None,
        traceparent=unquote(traceparent) if traceparent else None,
        data=Raw(data),
    )


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encoded(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_SAFE)
