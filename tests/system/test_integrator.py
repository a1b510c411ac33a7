"""docs/integrator.md, as it stands, on a real Linstock: its subscriber without our SDK, its commands, its promises."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.instance import Instance, started
from tests.support.sse import listening
from tests.support.trees import put
from tests.support.waiting import until

TEXT = (Path(__file__).parents[2] / "docs" / "integrator.md").read_text()
[SUBSCRIBER] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CREATED = "linstock.library.created.v1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data_dir = tmp_path_factory.mktemp("integrator") / "data"
    with started(data_dir) as instance:
        yield instance


@contextlib.contextmanager
def program(words: list[str], output: Path, **environment: str) -> Iterator[Path]:
    """A program that runs until the block ends, and where it writes."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LINSTOCK_")}
    with output.open("wb") as written:
        process = subprocess.Popen(words, stdout=written, stderr=subprocess.STDOUT, env={**ours, **environment})
    try:
        yield output
    finally:
        process.kill()
        process.wait()


def received(output: Path) -> list[str]:
    """The ids of the libraries that the subscriber printed as created."""
    lines = [line for line in output.read_text().splitlines() if line.startswith(CREATED)]
    return re.findall(r"'libraryId': '([0-9a-f-]{36})'", "\n".join(lines))


def test_the_subscriber_is_short_and_has_nothing_of_ours() -> None:
    lines = [line for line in SUBSCRIBER.splitlines() if line.strip()]
    assert len(lines) <= 20
    assert not re.search(r"\b(import|from) +.*\b(linstock|services)\b", SUBSCRIBER)


def test_the_subscriber_receives_what_is_made_over_http_also_what_was_made_while_it_was_down(
    running: Instance, tmp_path: Path
) -> None:
    script = tmp_path / "subscriber.py"
    script.write_text(SUBSCRIBER)
    words, where = [sys.executable, str(script)], {"LINSTOCK_DATA_DIR": str(running.data_dir)}
    put(tmp_path / "a", "1.jpg")
    put(tmp_path / "b", "1.jpg")

    def acked() -> bool:
        """Both the library and its receipt, and whatever came before."""
        return _pending(running, "my-catalogue") == (0, 0)

    with program(words, tmp_path / "first.txt", **where) as output:
        first = running.create("first", tmp_path / "a")
        until(lambda: first in received(output), f"{first} is received: {output.read_text()}", 20)
        until(acked, "all of it is acknowledged", 20)
    second = running.create("second", tmp_path / "b")
    with program(words, tmp_path / "second.txt", **where) as output:
        until(lambda: second in received(output), f"{second} is received: {output.read_text()}", 20)
    assert received(output) == [second]


def _pending(running: Instance, durable: str) -> tuple[int, int]:
    async def ask() -> tuple[int, int]:
        import nats

        client = await nats.connect(json.loads((running.data_dir / "state.json").read_text())["nats"]["url"])
        try:
            info = await client.jetstream().consumer_info("EVENTS", durable)
            return info.num_pending or 0, info.num_ack_pending or 0
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("command", COMMANDS, ids=["a page at a time", "live"])
def test_the_commands_show_a_library_that_was_made(running: Instance, tmp_path: Path, command: str) -> None:
    put(tmp_path / "c", "1.jpg")
    library_id = running.create("shown", tmp_path / "c")
    here = command.replace("http://localhost:8321", running.url)

    def look() -> bool:
        with program(["bash", "-c", f"exec {here}"], tmp_path / "shown.txt") as output:
            return bool(until(lambda: output.read_text(), "it answers", 10)) and _shows(output, library_id)

    until(look, "the library is shown", 30)


def _shows(output: Path, library_id: str) -> bool:
    return f'"type":"{CREATED}"' in output.read_text() and library_id in output.read_text()


def test_a_stream_goes_on_exactly_where_it_was_when_the_api_is_killed(running: Instance, tmp_path: Path) -> None:
    put(tmp_path / "d", "1.jpg")
    library_id = running.create("killed", tmp_path / "d")
    running.scanned(library_id)

    async def live() -> None:
        async with httpx.AsyncClient(base_url=running.url, timeout=20) as http:
            page = (await http.get("/api/v1/events", params={"libraryId": library_id, "limit": 200})).json()
            whole = [event["id"] for event in page["data"]]
            async with listening(http, cursor="start", libraryId=library_id) as stream:
                heard = await stream.take(2)
                os.kill(running.pid("api"), signal.SIGKILL)
                last = stream.id
                with contextlib.suppress(httpx.HTTPError):
                    while await stream.block():
                        pass
            until(lambda: _answers(running), "the API is back", 30)
            second = running.ended(running.scan(library_id))
            async with listening(http, last=last, libraryId=library_id) as stream:
                while heard[-1]["type"] != "linstock.job.succeeded.v1" or heard[-1]["aggregateId"] != second["id"]:
                    heard += await stream.take(1)
            heard_ids = [event["id"] for event in heard]
            assert heard_ids[: len(whole)] == whole
            assert len(set(heard_ids)) == len(heard_ids)
            _each_log_ascends(heard)
            page = (await http.get("/api/v1/events", params={"libraryId": library_id, "limit": 200})).json()
            assert {event["id"] for event in page["data"]} == set(heard_ids)

    asyncio.run(live())


def _answers(running: Instance) -> bool:
    try:
        return running.http.get("/libraries").status_code == 200
    except httpx.HTTPError:
        return False


def _each_log_ascends(events: list[dict[str, Any]]) -> None:
    for log in ("library", "scheduler", "scanner"):
        positions = [event["position"] for event in events if event["log"] == log]
        assert positions == sorted(set(positions))
