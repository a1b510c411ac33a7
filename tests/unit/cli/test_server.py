"""Which server is asked, as whom, and what is said when it cannot answer."""

import json
import os
import socket
from pathlib import Path

import pytest

from linstock.cli.server import DEFAULT_URL, address, token
from tests.support.fake_api import Answer, FakeApi, page, problem
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, library


def running_on(folder: Path, *, pid: int, url: str = "http://127.0.0.1:4711") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "state.json").write_text(json.dumps({"pid": pid, "url": url}))
    return folder


def test_a_url_goes_before_a_data_directory_and_that_before_the_default_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert address(None, None) == DEFAULT_URL
    here = running_on(tmp_path / ".linstock", pid=os.getpid())
    assert address(None, None) == "http://127.0.0.1:4711"
    assert address("http://elsewhere:1/", here) == "http://elsewhere:1"


def test_what_ran_last_is_not_what_runs(linstock: Linstock, tmp_path: Path) -> None:
    running_on(tmp_path, pid=2**22 + 1)
    ended = linstock("lib", "ls", "--data-dir", tmp_path, LINSTOCK_URL=None)
    assert ended.exit_code == 3
    assert ended.stderr == f"Error: Nothing runs on {tmp_path}. Start it: linstock up --data-dir {tmp_path}\n"


def test_where_nothing_listens_one_sentence_says_how_to_start(linstock: Linstock) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        ended = linstock("lib", "ls", "--url", url)
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr == f"Error: Nothing runs at {url}. Start it with `linstock up`, or say where it is: --url.\n"


def test_the_token_comes_from_a_file_or_the_environment(linstock: Linstock, api: FakeApi, tmp_path: Path) -> None:
    api.on("GET /libraries", page())
    (tmp_path / "token").write_text("from-a-file\n")
    linstock("lib", "ls", "--token-file", tmp_path / "token", LINSTOCK_TOKEN="from-the-environment")
    linstock("lib", "ls", LINSTOCK_TOKEN="from-the-environment")
    linstock("lib", "ls")
    sent = [asked.headers.get("Authorization") for asked in api.asked]
    assert sent == ["Bearer from-a-file", "Bearer from-the-environment", None]


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff\xfe"])
def test_a_file_without_a_token_is_refused(content: bytes, linstock: Linstock, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    ended = linstock("lib", "ls", "--token-file", tmp_path / "token")
    assert ended.exit_code == 2
    assert str(tmp_path / "token") in ended.stderr


def test_no_token_is_none() -> None:
    assert token(None, {}) is None
    assert token(None, {"LINSTOCK_TOKEN": ""}) is None


@pytest.mark.parametrize(
    ("answer", "exit_code", "said"),
    [
        (problem(404, "library-not-found", "There is no library 7."), 4, "`linstock lib ls` shows what there is."),
        (problem(409, "scan-open", "A scan is open."), 5, "A scan is open."),
        (problem(412, "changed", "It is at version 3."), 5, "look at it again"),
        (problem(422, "invalid", "Wrong.", errors=[{"pointer": "#/name", "detail": "too long"}]), 2, "name: too long."),
        (problem(429, "busy", "Too many streams."), 3, "Try again in a moment."),
        (problem(500, "internal", "Something went wrong here."), 1, "`linstock logs` has the reason."),
        (problem(503, "unavailable", "The read models can't be reached."), 3, "`linstock status`"),
        (Answer(200, b"<html>hello</html>", {"Content-Type": "text/html"}), 3, "is not Linstock"),
        (Answer(200, [1, 2]), 3, "is not Linstock"),
        (Answer(302, None, {"Location": "http://evil.example/"}), 1, "answered 302"),
    ],
)
def test_every_refusal_is_a_sentence_and_an_exit_code(
    answer: Answer, exit_code: int, said: str, linstock: Linstock, api: FakeApi
) -> None:
    api.on(f"GET /libraries/{LIBRARY_ID}", answer)
    ended = linstock("lib", "show", LIBRARY_ID)
    assert (ended.exit_code, ended.stdout) == (exit_code, "")
    assert ended.stderr.startswith("Error: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_what_a_command_did_is_seen_by_the_reads_after_it(linstock: Linstock, api: FakeApi, tmp_path: Path) -> None:
    moved = {"Linstock-Position": "library:12"}
    api.on("POST /libraries", Answer(201, library(path=str(tmp_path)), moved))
    api.on(f"POST /libraries/{LIBRARY_ID}/scans", problem(409, "scan-open", "A scan is open."))
    api.on("GET /libraries", page())
    linstock("lib", "add", tmp_path)
    reads = [asked for asked in api.asked if asked.method == "GET"]
    assert [asked.headers.get("Linstock-Position") for asked in reads] == ["library:12"] * len(reads)


def test_a_command_whose_owner_is_away_is_waited_for(linstock: Linstock, api: FakeApi) -> None:
    pending = {"id": LIBRARY_ID, "status": "pending", "command": None, "answer": None}
    done = pending | {"status": "done", "command": "DeleteLibrary", "answer": {"status": 204, "id": None}}
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(f"DELETE /libraries/{LIBRARY_ID}", Answer(202, pending))
    api.on(f"GET /operations/{LIBRARY_ID}", Answer(200, pending), Answer(200, done))
    ended = linstock("lib", "rm", LIBRARY_ID, "--yes")
    assert (ended.exit_code, ended.stderr) == (0, "Removed Holidays.\n")
    refused = done | {"status": "refused", "answer": {"status": 409, "code": "scan-open", "detail": "A scan is open."}}
    api.on(f"GET /operations/{LIBRARY_ID}", Answer(200, refused))
    ended = linstock("lib", "rm", LIBRARY_ID, "--yes")
    assert (ended.exit_code, ended.stderr) == (5, "Error: A scan is open.\n")
