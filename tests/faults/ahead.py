"""`python -m tests.faults.ahead SECONDS SERVICE`: a service on a machine whose clock is wrong by so much.

Only what this process takes for the time of day is wrong, as with a clock that was set by hand: the monotonic clock
counts on, and Postgres and NATS have clocks of their own.
"""

import inspect
import sys
import time
from datetime import datetime, timedelta, tzinfo
from importlib import import_module

from linstock import lifecycle

OURS = ("linstock.", "services.")


def set_wrong(by_s: float) -> None:
    """In the standard library, and in all modules of ours that ask `datetime` (a type of C, which can't be changed)."""
    real_s, real_ns, by = time.time, time.time_ns, timedelta(seconds=by_s)
    time.time = lambda: real_s() + by_s
    time.time_ns = lambda: real_ns() + int(by_s * 1e9)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and vars(module).get("datetime") is datetime:
            if "datetime.now(" in inspect.getsource(module):
                vars(module)["datetime"] = Wrong


def main(by_s: float, service: str) -> None:
    app = import_module(f"services.{service}.app")
    set_wrong(by_s)
    lifecycle.run(service, app.build)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
