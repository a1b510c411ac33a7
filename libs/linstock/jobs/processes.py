"""Processes that run one plain function at a time. One that dies, or has to be killed, takes only its own job along."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any


class ProcessDied(Exception):
    """The process of the job ended before the job did."""


class OwnProcess:
    """Started when it is first needed."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self.broken = False

    def submit(self, function: Callable[..., Any], arguments: dict[str, Any]) -> "Future[Any]":
        """What the function returns or raises; ProcessDied."""
        told: Future[Any] = Future()

        def tell(future: "Future[Any]") -> None:
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                self.broken = True
                told.set_exception(ProcessDied(ProcessDied.__doc__))
            elif error is not None:
                told.set_exception(error)
            else:
                told.set_result(future.result())

        self._pool.submit(_call, function.__module__, function.__qualname__, arguments).add_done_callback(tell)
        return told

    def kill(self) -> None:
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


class Processes:
    """Those that are free are used again."""

    def __init__(self) -> None:
        self._free: list[OwnProcess] = []
        self._busy: set[OwnProcess] = set()

    def take(self) -> OwnProcess:
        process = self._free.pop() if self._free else OwnProcess()
        self._busy.add(process)
        return process

    def give_back(self, process: OwnProcess, *, usable: bool) -> None:
        self._busy.discard(process)
        if usable:
            self._free.append(process)
        else:
            process.kill()

    def close(self) -> None:
        for process in (*self._free, *self._busy):
            process.kill()


def _call(module: str, name: str, arguments: dict[str, Any]) -> Any:
    """In the process: `name` is a job there too."""
    import importlib

    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return getattr(found, "function", found)(**arguments)
