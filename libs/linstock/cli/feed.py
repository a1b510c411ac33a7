"""The events of the API, page by page and as they happen."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from linstock.cli import refusals, words
from linstock.cli.exits import Ended, Exit
from linstock.cli.screen import Column, Screen, note

if TYPE_CHECKING:
    from linstock.cli.api import Api, Json

LARGEST_PAGE = 200
COME_AGAIN_S = 1.0
PATIENCE_S = 60.0
"""How long the server may be away before following ends."""

_COLUMNS = (
    Column("TIME", lambda event: words.moment(event["time"])),
    Column("TYPE", lambda event: event["type"]),
    Column("OF", lambda event: words.short(event["aggregateId"])),
    Column("WHERE", lambda event: f"{event['log']}:{event['position']}"),
    Column("BY", lambda event: event.get("actor") or "-"),
    Column("ID", lambda event: event["id"]),
)


class Said(NamedTuple):
    """One message of a text/event-stream."""

    id: str | None
    kind: str
    data: str


def tail(api: "Api", screen: Screen, *, limit: int, follow: bool, wanted: "Json") -> None:
    """The newest `limit`, the newest last; then (`follow`) what happens, without gap or repeat."""
    newest, cursor = _newest(api, limit, wanted)
    if not follow:
        screen.rows(newest, _COLUMNS, none="No such events.")
        return
    _show(screen, newest)
    for event in _following(api, cursor, wanted):
        _show(screen, [event])


def show(screen: Screen, event: "Json") -> None:
    fields = [(name, value) for name, value in event.items() if name != "data"]
    screen.one(event, fields)
    if event.get("data") is not None:
        screen.say("")
        for line in json.dumps(event["data"], ensure_ascii=False, indent=2).splitlines():
            screen.say(line)
    elif event.get("dataBytes"):
        note(f"Its data ({words.size(event['dataBytes'])}) is too large to be shown here.")


def messages(lines: Iterable[str]) -> Iterator[Said]:
    """As the HTML standard reads a stream: an empty line ends a message, a colon begins a comment."""
    identity, kind, data = None, "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Said(identity, kind, "\n".join(data))
            kind, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            identity = value
        elif field == "event":
            kind = value
        elif field == "data":
            data.append(value)


def _newest(api: "Api", limit: int, wanted: "Json") -> tuple[list["Json"], str | None]:
    """Ascending, and the cursor behind the newest."""
    found: list[Json] = []
    older, behind = None, None
    while len(found) < limit:
        size = min(limit - len(found), LARGEST_PAGE)
        page = api.get("/events", order="desc", limit=size, cursor=older, **wanted)
        behind = behind or page.get("latest")
        found += page["data"]
        older = page.get("next")
        if not page.get("hasMore") or not page["data"]:
            break
    return found[::-1], behind


def _following(api: "Api", cursor: str | None, wanted: "Json") -> Iterator["Json"]:
    """Comes again at the last id it has seen when the connection breaks."""
    import httpx

    patience = time.monotonic() + PATIENCE_S
    while True:
        try:
            with api.stream("/events/stream", cursor, **wanted) as lines:
                for said in messages(lines):
                    cursor, patience = said.id or cursor, time.monotonic() + PATIENCE_S
                    if said.kind == "reset":
                        note("The events were made again: following from their new beginning.")
                        continue
                    yield json.loads(said.data)
        except httpx.TransportError as error:
            if time.monotonic() > patience:
                raise refusals.unreachable(api.url, error) from error
        except Ended as ended:
            if ended.exit_code != Exit.UNREACHABLE or time.monotonic() > patience:
                raise
        time.sleep(COME_AGAIN_S)


def _show(screen: Screen, events: list["Json"]) -> None:
    for event in events:
        if screen.form == "table":
            screen.say("  ".join(str(column.of(event)) for column in _COLUMNS))
        else:
            screen.line(event)
