"""What the five services cost while nothing happens: everything started by `linstock up`, as a user would."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tests.bench.figure import Figure

SETTLE_S = 8.0
WATCH_S = 10.0
READY_WITHIN_S = 60


def idle(folder: Path, *, repetitions: int) -> list[Figure]:
    """PSS of the five service processes together, and the share of one core they use (NATS and Postgres not counted,
    their own share is the reference)."""
    data_dir = folder / "data"
    command = [sys.executable, "-m", "linstock"]
    with (folder / "up.log").open("wb") as log:
        subprocess.run(
            [*command, "up", "--detach", "--data-dir", str(data_dir), "--port", "0"],
            check=True,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            timeout=READY_WITHIN_S,
        )
        try:
            return _watched(msgspec.json.decode((data_dir / "state.json").read_bytes()), repetitions)
        finally:
            subprocess.run(
                [*command, "down", "--data-dir", str(data_dir)],
                check=False,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                timeout=60,
            )


def _watched(state: dict[str, Any], repetitions: int) -> list[Figure]:
    services = [psutil.Process(service["pid"]) for service in state["services"].values()]
    servers = [psutil.Process(int(state[name]["pid"])) for name in ("nats", "postgres")]
    servers += [child for server in servers for child in server.children(recursive=True)]
    time.sleep(SETTLE_S)
    memory, cores, others = [], [], []
    for _ in range(repetitions):
        before, before_others, began = _cpu_s(services), _cpu_s(servers), time.monotonic()
        time.sleep(WATCH_S)
        lasted = time.monotonic() - began
        cores.append((_cpu_s(services) - before) / lasted * 100)
        others.append((_cpu_s(servers) - before_others) / lasted * 100)
        memory.append(sum(process.memory_full_info().pss for process in services) / 1e6)
    return [
        Figure(
            name="five services idle, PSS together",
            unit="MB",
            samples=memory,
            at_most=450,
            reference="five bare Pythons MB",
            reference_samples=[_bare_python_mb() * len(services)],
        ),
        Figure(
            name="five services idle, share of a core",
            unit="%",
            samples=cores,
            at_most=3,
            reference="NATS and Postgres %",
            reference_samples=others,
        ),
    ]


def _cpu_s(processes: list[psutil.Process]) -> float:
    spent = 0.0
    for process in processes:
        if process.is_running():
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


def _bare_python_mb() -> float:
    ask = "import psutil; print(psutil.Process().memory_full_info().pss)"
    answered = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, env=dict(os.environ))
    return int(answered.stdout) / 1e6
