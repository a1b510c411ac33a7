"""`linstock events tail | show`."""

import json

import pytest

from linstock.cli import feed
from linstock.cli.feed import Said, messages
from tests.support.fake_api import Answer, FakeApi, problem
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import EVENT_ID, event

STREAM = {"Content-Type": "text/event-stream"}


def streamed(*positions: int) -> Answer:
    said = [f"id: library.0a1b2c3d:{each}\nevent: event\ndata: {json.dumps(event(each))}\n\n" for each in positions]
    hello = ": linstock\nretry: 2000\nid: library.0a1b2c3d:3\n\n"
    return Answer(200, (hello + "".join(said)).encode(), STREAM)


def test_a_stream_is_read_as_the_standard_says() -> None:
    lines = [": comment", "", "id: 7", "event: a", "data: x", "data:y", "", "data: z", "", "id", "", "data: cut off"]
    assert list(messages(lines)) == [Said("7", "a", "x\ny"), Said("7", "message", "z"), Said("", "message", "")]


def test_the_newest_are_shown_last(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /events", Answer(200, {"data": [event(3), event(2)], "next": "library.0a1b2c3d:2", "hasMore": True}))
    ended = linstock("events", "tail", "-n", "2", "-o", "json")
    assert [each["position"] for each in json.loads(ended.stdout)] == [2, 3]
    assert api.asked[0].query == {"order": "desc", "limit": "2"}


def test_older_pages_are_asked_for_until_there_are_enough(linstock: Linstock, api: FakeApi) -> None:
    def answer(number: int) -> Answer:
        count = 200 if number == 0 else 50
        rows = [event(1000 - number * 200 - index) for index in range(count)]
        return Answer(200, {"data": rows, "next": "library.0a1b2c3d:800", "hasMore": True})

    api.on("GET /events", lambda asked: answer(1 if "cursor" in asked.query else 0))
    ended = linstock("events", "tail", "-n", "250", "-o", "jsonl")
    positions = [json.loads(line)["position"] for line in ended.stdout.splitlines()]
    assert (len(positions), positions[0], positions[-1]) == (250, 751, 1000)
    assert [asked.query.get("limit") for asked in api.asked] == ["200", "50"]


def test_following_comes_again_where_it_was(linstock: Linstock, api: FakeApi) -> None:
    newest = [event(4), event(3)]  # the fourth happened after the stream began: it is on both
    api.on("GET /events", Answer(200, {"data": newest, "next": "start", "hasMore": False}))
    api.on("GET /events/stream", streamed(4, 5), streamed(6), problem(403, "forbidden", "Enough."))
    ended = linstock("events", "tail", "-f", "-n", "2", "--type", "linstock.library.created.v1", "-o", "jsonl")
    assert ended.exit_code == 6
    assert [json.loads(line)["position"] for line in ended.stdout.splitlines()] == [3, 4, 5, 6]
    streams = [asked for asked in api.asked if asked.path.endswith("/stream")]
    assert [each.headers.get("Last-Event-ID") for each in streams][1:] == [
        "library.0a1b2c3d:5",
        "library.0a1b2c3d:6",
    ]
    assert {each.query["type"] for each in streams} == {"linstock.library.created.v1"}


def test_a_server_that_stays_away_ends_the_following(
    linstock: Linstock, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PATIENCE_S", 0.0)
    api.on("GET /events", Answer(200, {"data": [], "next": None, "hasMore": False}))
    api.on("GET /events/stream", problem(503, "unavailable", "Not now."))
    assert linstock("events", "tail", "-f").exit_code == 3


def test_one_event_with_all_it_says(linstock: Linstock, api: FakeApi) -> None:
    api.on(f"GET /events/{EVENT_ID}", Answer(200, event()))
    ended = linstock("events", "show", EVENT_ID)
    assert "anonymous@loopback" in ended.stdout
    assert '"name": "Holidays"' in ended.stdout
    api.on(f"GET /events/{EVENT_ID}", Answer(200, event() | {"data": None, "dataBytes": 70_000}))
    assert "70.0 kB" in linstock("events", "show", EVENT_ID).stderr
