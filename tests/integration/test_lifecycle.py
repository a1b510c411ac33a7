"""A service process from start to end, as its supervisor sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until

URLS = {"LINSTOCK_DATABASE_URL": "postgresql://u:p@/db", "LINSTOCK_NATS_URL": "nats://u:p@127.0.0.1:1"}


class Running:
    """A service under test; `events` are the log lines so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    def wait_for(self, event: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event:
                return self.events[-1]
        raise AssertionError(f"ended before {event!r}: {self.events}")


@contextmanager
def running(how: str, **environment: str) -> Iterator[Running]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.stubborn_service", how],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **URLS, "LINSTOCK_LOG_FORMAT": "json", **environment},
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_with_zero(number: signal.Signals) -> None:
    with running("well") as service:
        service.wait_for("service ready")
        service.process.send_signal(number)
        service.wait_for("service stopped")
        assert service.process.wait(5) == 0


def test_what_is_away_at_the_start_is_waited_for() -> None:
    with running("late") as service:
        service.wait_for("service ready")
        refused = [event for event in service.events if event["event"] == "service cannot start yet"]
        assert [event["retry_in_s"] for event in refused] == [0.1, 0.2]
        assert "hunter2" not in json.dumps(service.events)


def test_what_does_not_stop_in_time_ends_with_one() -> None:
    with running("stuck") as service:
        service.wait_for("service ready")
        began = time.monotonic()
        service.process.terminate()
        assert service.process.wait(5) == 1
        assert time.monotonic() - began < 3


def test_a_failure_it_cannot_live_with_ends_it() -> None:
    with running("fatal") as service:
        failed = service.wait_for("service failed")
        assert failed["reason"] == "cannot live with this"
        assert service.process.wait(5) == 1


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"LINSTOCK_NATS_URL": ""}, "LINSTOCK_NATS_URL"),
        ({"LINSTOCK_PROBE_PORT": "x"}, "LINSTOCK_PROBE_PORT"),
        ({"LINSTOCK_CRASH_AT": "nowhere"}, "LINSTOCK_CRASH_AT"),
    ],
)
def test_a_bad_environment_is_refused_in_one_sentence(environment: dict[str, str], names: str) -> None:
    with running("well", **environment) as service:
        assert service.process.stderr is not None
        words = service.process.stderr.read()
        assert service.process.wait(5) == 2
        assert names in words
        assert "Traceback" not in words


def test_an_idle_service_uses_next_to_nothing() -> None:
    with running("well") as service:
        service.wait_for("service ready")
        stat = Path(f"/proc/{service.process.pid}/stat")

        def ticks() -> int:
            fields = stat.read_text().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        before, began = ticks(), time.monotonic()
        until(lambda: time.monotonic() - began > 1.0, "a second of idling")
        assert ticks() - before <= 1  # 10 ms
