"""`python -m tests.faults.ahead SECONDS SERVICE`: a service on a machine whose clock is wrong by so much.

Only what this process takes for the time of day is wrong, as with a clock that was set by hand: the monotonic clock
counts on, and Postgres and NATS have clocks of their own.
"""

import inspect
import sys
import time
from datetime import datetime, timedelta, tzinfo
from importlib import import_module

OURS = ("linstock.", "services.")


def main(by_s: float, service: str) -> None:
    _set_time(by_s)
    app = import_module(f"services.{service}.app")
    lifecycle = import_module("linstock.lifecycle")
    _set_datetime(timedelta(seconds=by_s))
    lifecycle.run(service, app.build)


def _set_time(by_s: float) -> None:
    real_s, real_ns = time.time, time.time_ns
    time.time = lambda: real_s() + by_s
    time.time_ns = lambda: real_ns() + int(by_s * 1e9)


def _set_datetime(by: timedelta) -> None:
    """In all modules of ours that ask it for the time: it is a type of C, which can't be changed itself."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        ours = name.startswith(OURS) and vars(module).get("datetime") is datetime
        if ours and "datetime.now(" in inspect.getsource(module):
            vars(module)["datetime"] = Wrong


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
