"""`linstock up …` as the harness starts it: the real supervisor and the real services, two of them twice if wanted,
and each service able to find an order to crash at a named point, for one life.

    python -m tests.faults.launch up …            the supervisor
    python -m tests.faults.launch service NAME    what it starts: arms a crash point if ordered, then runs the service
"""

import os
import runpy
import sys
from pathlib import Path

REPLICAS = "FAULTS_REPLICAS"


def crash_order(data_dir: Path, service: str) -> Path:
    """The file that orders the next process of `service` to crash; its content is for LINSTOCK_CRASH_AT."""
    return data_dir / "crash-at" / service


def supervise() -> None:
    from linstock import cli
    from services.up import start

    run = (sys.executable, "-m", "tests.faults.launch", "service")
    commands: dict[str, tuple[str, ...]] = {name: (*run, name) for name in start.COMMANDS}
    for name in filter(None, os.environ.get(REPLICAS, "").split(",")):
        commands[f"{name}-2"] = (*run, name)
    start.COMMANDS = commands
    cli.main()


def serve(name: str) -> None:
    order = crash_order(Path(os.environ["LINSTOCK_DATA_DIR"]), name)
    if order.exists():
        os.environ["LINSTOCK_CRASH_AT"] = order.read_text().strip()
        order.unlink()
    runpy.run_module(f"services.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if sys.argv[1] == "service":
        serve(sys.argv[2])
    else:
        supervise()
