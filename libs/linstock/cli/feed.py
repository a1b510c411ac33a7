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
    """One message of a text/event-stream; `data` is "" where only the id was told."""

    id: str
    kind: str
    data: str


def tail(api: "Api", screen: Screen, *, limit: int, follow: bool, wanted: "Json") -> None:
    """The newest `limit`, the newest last; then (`follow`) what happens, without gap or repeat."""
    if not follow:
        screen.rows(_newest(api, limit, wanted), _COLUMNS, none="No such events.")
        return
    shown: set[str] | None = None
    for said in _listen(api, wanted):
        if shown is None:  # only now: what happens between the two is on the stream
            newest = _newest(api, limit, wanted)
            _show(screen, newest)
            shown = {event["id"] for event in newest}
        if said.kind == "reset":
            note("The events were made again, or are no longer kept: going on from now.")
        elif said.data and (event := json.loads(said.data))["id"] not in shown:
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
    identity, told, kind, data = "", "", "message", list[str]()
    for line in lines:
        if not line:
            if data or identity != told:
                yield Said(identity, kind, "\n".join(data))
            told, kind, data = identity, "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            identity = value
        elif field == "event":
            kind = value
        elif field == "data":
            data.append(value)


def _newest(api: "Api", limit: int, wanted: "Json") -> list["Json"]:
    """Ascending."""
    found: list[Json] = []
    older = None
    while len(found) < limit:
        size = min(limit - len(found), LARGEST_PAGE)
        page = api.get("/events", order="desc", limit=size, cursor=older, **wanted)
        found += page["data"]
        older = page.get("next")
        if not page.get("hasMore") or not page["data"]:
            break
    return found[::-1]


def _listen(api: "Api", wanted: "Json") -> Iterator[Said]:
    """From now on. Comes again where it was when the connection breaks; not when there never was one."""
    import httpx

    cursor, patience = "", time.monotonic()
    while True:
        try:
            with api.stream("/events/stream", cursor, **wanted) as lines:
                for said in messages(lines):
                    cursor, patience = said.id, time.monotonic() + PATIENCE_S
                    yield said
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
