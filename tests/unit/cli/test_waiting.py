"""--wait: progress on stderr, the verdict on stdout, and Ctrl-C that ends the waiting alone."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from linstock.cli import watch
from tests.support.fake_api import Answer, FakeApi, page, problem
from tests.support.waiting import until
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, RUN_ID, SCHEDULE_ID, library, run, scan, schedule

SCAN = f"GET /scans/{RUN_ID}"


@pytest.fixture
def scanning(api: FakeApi) -> FakeApi:
    api.on("GET /libraries", page(library()))
    api.on(f"GET /libraries/{LIBRARY_ID}/scans", page())
    api.on(f"POST /libraries/{LIBRARY_ID}/scans", Answer(202, {"id": RUN_ID}))
    return api


def test_what_failed_and_why_is_told_at_the_end(linstock: Linstock, scanning: FakeApi) -> None:
    report = [{"code": "broken_archive", "path": "a\x1b[2J.zip", "message": "File is not a zip file"}]
    seen = scan("Running", progress={"files": 1234, "collections": 5, "errors": 1})
    scanning.on(SCAN, Answer(200, scan("Running")), Answer(200, seen), Answer(200, scan(report=report)))
    ended = linstock("lib", "scan", "Holidays", "--wait")
    assert ended.exit_code == 0
    assert "found              3 collections, 40 images (4.2 MB)" in ended.stdout
    assert r"broken_archive  a\x1b[2J.zip  File is not a zip file" in ended.stdout
    assert ended.stderr.startswith("Running")


@pytest.mark.parametrize("status", ["Failed", "Timeout", "Cancelled"])
def test_what_did_not_complete_ends_with_1_and_its_reason(status: str, linstock: Linstock, scanning: FakeApi) -> None:
    scanning.on(SCAN, Answer(200, scan(status, errorMessage="The folder does not exist.")))
    ended = linstock("lib", "scan", "Holidays", "--wait", "--deep", "-o", "json")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout)["errorMessage"] == "The folder does not exist."
    assert scanning.told(f"POST /libraries/{LIBRARY_ID}/scans") == [{"triggeredBy": "Manual", "scanMode": "deep"}]


def test_a_server_that_is_away_for_a_moment_is_waited_for(linstock: Linstock, scanning: FakeApi) -> None:
    away = problem(503, "database-unavailable", "The read models can't be reached.")
    scanning.on(SCAN, Answer(200, scan("Running")), away, problem(404, "scan-not-found", "No."), Answer(200, scan()))
    assert linstock("lib", "scan", "Holidays", "--wait").exit_code == 0


def test_a_server_that_stays_away_is_not_waited_for_for_ever(
    linstock: Linstock, scanning: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE_S", 0.0)
    away = problem(503, "database-unavailable", "The read models can't be reached.")
    scanning.on(SCAN, Answer(200, scan("Running")), away)
    assert linstock("lib", "scan", "Holidays", "--wait").exit_code == 3


def test_ctrl_c_ends_the_waiting_and_not_the_scan(scanning: FakeApi) -> None:
    scanning.on(SCAN, Answer(200, scan("Running")))
    process = subprocess.Popen(
        [sys.executable, "-m", "linstock", "lib", "scan", "Holidays", "--wait"],
        env={**os.environ, "LINSTOCK_URL": scanning.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a terminal starts it; what a shell starts in the background, a CI say, ignores Ctrl-C, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        try:
            until(lambda: [each for each in scanning.asked if each.path.endswith(RUN_ID)][2:], "it waits")
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (130, "")
    assert "Stopped waiting; the run goes on. Look on: linstock run show 31e31418 --wait" in stderr
    assert [each.path for each in scanning.asked if each.method != "GET"] == [f"/api/v1/libraries/{LIBRARY_ID}/scans"]


def test_triggering_waits_too(linstock: Linstock, scanning: FakeApi) -> None:
    scanning.on("GET /scheduledjobs", page(schedule()))
    scanning.on(f"POST /scheduledjobs/{SCHEDULE_ID}/trigger", Answer(202, {"id": RUN_ID}))
    scanning.on(SCAN, Answer(200, scan()))
    ended = linstock("schedule", "trigger", "Library Scan - Holidays", "--wait")
    assert ended.exit_code == 0
    assert scanning.told(f"POST /scheduledjobs/{SCHEDULE_ID}/trigger") == [{"triggeredBy": "Manual"}]


def test_a_run_that_is_no_scan_is_shown_as_the_run_it_is(linstock: Linstock, api: FakeApi) -> None:
    other = run("Completed", jobType="Report", result={"pages": 12})
    api.on("GET /runs", page(other))
    api.on(f"GET /runs/{RUN_ID}", Answer(200, other))
    assert linstock("run", "show", "31e31418", "--wait").exit_code == 0
    assert not [each for each in api.asked if "/scans/" in each.path]


def test_a_run_is_cancelled_with_its_reason(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /runs", page(run("Running")))
    api.on(f"POST /runs/{RUN_ID}/cancel", Answer(200, run("Cancelled")))
    ended = linstock("run", "cancel", "31e3", "--reason", "wrong disk", "-o", "json")
    assert (ended.exit_code, json.loads(ended.stdout)["status"]) == (0, "Cancelled")
    assert api.told(f"POST /runs/{RUN_ID}/cancel") == [{"reason": "wrong disk"}]


def test_runs_are_filtered_by_status_and_library(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on("GET /runs", page(run("Failed")))
    linstock("run", "ls", "--status", "failed", "--library", "Holidays", "-n", "7")
    assert api.asked[-1].query == {"page": "1", "pageSize": "7", "status": "Failed", "libraryId": LIBRARY_ID}


@pytest.mark.parametrize(
    ("word", "verb", "state"), [("disable", "disable", "off"), ("resume", "resume", "on"), ("enable", "enable", "on")]
)
def test_a_schedule_is_switched_and_resumed(word: str, verb: str, state: str, linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /scheduledjobs", page(schedule()))
    api.on(f"POST /scheduledjobs/{SCHEDULE_ID}/{verb}", Answer(200, schedule(enabled=state == "on")))
    ended = linstock("schedule", word, "9ce9")
    assert ended.exit_code == 0
    assert re.search(rf"^state +{state}$", ended.stdout, re.MULTILINE)


def test_a_pause_has_a_reason_and_an_end(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /scheduledjobs", page(schedule()))
    paused = schedule() | {
        "isPaused": True, "pausedAt": "2026-11-23T07:03:25Z", "pausedBy": "ann", "pauseReason": "disk swap",
        "resumeAt": "2026-11-24T07:00:00Z",
    }  # fmt: skip
    api.on(f"POST /scheduledjobs/{SCHEDULE_ID}/pause", Answer(200, paused))
    ended = linstock("schedule", "pause", "9ce9", "--reason", "disk swap", "--until", "2026-11-24T08:00:00+01:00")
    assert api.told(f"POST /scheduledjobs/{SCHEDULE_ID}/pause") == [
        {"reason": "disk swap", "resumeAt": "2026-11-24T08:00:00+01:00"}
    ]
    assert re.search(r"^state +paused$", ended.stdout, re.MULTILINE)
    assert re.search(r"^paused .* by ann$", ended.stdout, re.MULTILINE)
    assert re.search(r"^because +disk swap$", ended.stdout, re.MULTILINE)
    assert "next runs" not in ended.stdout


def test_the_rules_of_a_schedule_are_changed(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /scheduledjobs", page(schedule()))
    ruled = schedule() | {"overlapPolicy": "buffer_one", "startsAt": "2999-01-01T00:00:00Z", "maxRuns": 3}
    api.on(f"PATCH /scheduledjobs/{SCHEDULE_ID}", Answer(200, ruled))
    ended = linstock("schedule", "set", "9ce9", "--overlap", "buffer_one", "--every", "90", "--starts",
                     "2999-01-01T00:00:00Z", "--ends", "none", "--max-runs", "3", "--pause-after-failures", "none",
                     "--except", "2026-12-24T00:00:00Z..2026-12-26T23:59:59Z")  # fmt: skip
    assert api.told(f"PATCH /scheduledjobs/{SCHEDULE_ID}") == [
        {
            "intervalMinutes": 90, "overlapPolicy": "buffer_one", "startsAt": "2999-01-01T00:00:00+00:00",
            "endsAt": None, "maxRuns": 3, "pauseAfterFailures": None,
            "excluded": [{"first": "2026-12-24T00:00:00+00:00", "last": "2026-12-26T23:59:59+00:00"}],
        }
    ]  # fmt: skip
    assert re.search(r"^overlap +buffer_one$", ended.stdout, re.MULTILINE)
    assert re.search(r"^next runs +Tue 2999-01-01 02:00:00 \+0100", ended.stdout, re.MULTILINE)
    wrong = linstock("schedule", "set", "9ce9", "--except", "tomorrow")
    assert (wrong.exit_code, "is no stretch such as" in wrong.stderr) == (2, True)


def test_a_schedule_has_a_mode_and_one_run_may_have_another(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /scheduledjobs", page(schedule()))
    api.on(f"PATCH /scheduledjobs/{SCHEDULE_ID}", Answer(200, schedule() | {"scanMode": "quick"}))
    api.on(f"POST /scheduledjobs/{SCHEDULE_ID}/trigger", Answer(202, {"id": RUN_ID}))
    shown = linstock("schedule", "set", "9ce9", "--mode", "quick").stdout
    assert re.search(r"^mode +quick$", shown, re.MULTILINE)
    assert linstock("schedule", "trigger", "9ce9", "--mode", "deep").exit_code == 0
    assert api.told(f"PATCH /scheduledjobs/{SCHEDULE_ID}") == [{"scanMode": "quick"}]
    assert api.told(f"POST /scheduledjobs/{SCHEDULE_ID}/trigger") == [{"triggeredBy": "Manual", "scanMode": "deep"}]
