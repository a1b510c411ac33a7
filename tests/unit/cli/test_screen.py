"""What is shown where: colours and borders on a terminal, plain lines in a pipe, JSON alone on stdout."""

import json
import os
import pty
import subprocess
import sys

import pytest

from linstock.cli import words
from linstock.cli.screen import Column, Screen
from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, OTHER_ID, RUN_ID, library, run, scan

LAST = [Column("NAME", lambda row: row["name"]), Column("COUNT", lambda row: row["count"], right=True)]


def on_a_terminal(*arguments: str, url: str, **environment: str) -> str:
    """What `linstock …` writes when its stdout is a terminal."""
    ours, theirs = pty.openpty()  # of stdout and stderr
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "linstock", *arguments],
        env={**clean, "TERM": "xterm-256color", "LINSTOCK_URL": url, "COLUMNS": "120", **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    assert process.wait(10) == 0
    return shown.decode()


@pytest.fixture
def failed(api: FakeApi) -> FakeApi:
    api.on("GET /runs", page(run("Failed", errorMessage="[bold]not markup[/bold]")))
    return api


def test_a_terminal_gets_colours_unless_it_wants_none(failed: FakeApi) -> None:
    assert "\x1b[31mFailed" in on_a_terminal("run", "ls", url=failed.url)
    plain = on_a_terminal("run", "ls", url=failed.url, NO_COLOR="1")
    assert "Failed" in plain
    assert "\x1b[31m" not in plain
    assert "[bold]not markup[/bold]" in plain


def test_a_terminal_sees_a_scan_go_on(api: FakeApi) -> None:
    seen = {"files": 22, "collections": 2, "errors": 0}
    api.on("GET /libraries", page(library()))
    api.on(f"POST /libraries/{LIBRARY_ID}/scans", Answer(202, {"id": RUN_ID}))
    api.on(f"GET /libraries/{LIBRARY_ID}/scans", page(scan("Running"), scan()))
    running = Answer(200, scan("Running", progress=seen))
    api.on(f"GET /scans/{RUN_ID}", running, running, running, Answer(200, scan()))
    shown = on_a_terminal("lib", "scan", "Holidays", "--wait", url=api.url)
    assert "22 files, 2 collections, 0 errors" in shown
    assert "ETA" in shown
    assert "3 collections, 40 images" in shown


def test_a_pipe_gets_plain_lines(linstock: Linstock, failed: FakeApi) -> None:
    shown = linstock("run", "ls", NO_COLOR=None).stdout
    assert "\x1b" not in shown
    assert [line.split()[0] for line in shown.splitlines()] == ["ID", "31e31418"]


def test_columns_stay_aligned_in_every_script(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "照片", "count": 5}, {"name": "Zürich", "count": 1234}]
    Screen("table").rows(rows, LAST, none="")
    assert capsys.readouterr().out == "NAME    COUNT\n照片        5\nZürich   1234\n"


def test_names_cannot_steer_the_terminal(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library(name="\x1b]0;owned\x07\u202eevil\nrow"), library(OTHER_ID, "می‌خواهم")))
    shown = linstock("lib", "ls").stdout
    assert r"\x1b]0;owned\x07\u202eevil\nrow" in shown
    assert "می‌خواهم" in shown
    assert len(shown.splitlines()) == 3


@pytest.mark.parametrize(("form", "expected"), [("json", []), ("jsonl", None)])
def test_an_empty_list_is_still_json(form: str, expected: object, linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page())
    ended = linstock("lib", "ls", "-o", form)
    assert (json.loads(ended.stdout) if ended.stdout else None) == expected
    assert ended.stderr == ""
    assert linstock("lib", "ls").stderr == "No libraries yet: linstock lib add FOLDER\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_200_000, "4.2 MB"), (9e15, "9.0 PB")],
)
def test_sizes(given: float | None, expected: str) -> None:
    assert words.size(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, "-"), (12, "12 ms"), (1234, "1.2 s"), (61_000, "1 min 01 s"), (3_660_000, "1 h 01 min")],
)
def test_durations(given: float | None, expected: str) -> None:
    assert words.duration(given) == expected
