"""Runs one attempt of a job: on the loop, in a thread, or in a process of its own, and ends it when it has to end.

First it is asked to end (asyncio's cancellation, a flag for plain functions); what has not ended a while later is given
up: an exception is raised in its thread, its process is killed, a coroutine that goes on is left to itself. Its outcome
counts for nothing any more, and its slot is free.
"""

import asyncio
import ctypes
import functools
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from linstock.jobs.context import JobCancelled, JobContext
from linstock.jobs.definition import Job
from linstock.jobs.processes import Processes
from linstock.logs import get_logger

logger = get_logger(__name__)

ENDS_WITHIN_S = 5.0


class GivenUp(Exception):
    """The job did not end when it was told to; it was left to itself."""


class Ended(Exception):
    """The job ended because it was told to."""


class Exited(Exception):
    """The job wanted to end the whole process: sys.exit() or the like."""


class Executors:
    """Where jobs of one worker run. `slots`: how many at once."""

    def __init__(self, slots: int, *, ends_within_s: float = ENDS_WITHIN_S) -> None:
        self._slots = slots
        self._threads: Executor = ThreadPoolExecutor(slots, "job")
        self._processes = Processes()
        self._abandoned: set[object] = set()
        self.ends_within_s = ends_within_s

    async def run(self, job: Job[..., Any], context: JobContext, arguments: dict[str, Any]) -> Any:
        """What the function returns, or raises; Ended once it ended because the context was stopped, else GivenUp."""
        if job.context_name:
            arguments = {**arguments, job.context_name: context}
        if job.is_async:
            return await self._on_loop(_kept_in(job.function(**arguments)), context)
        if job.in_process:
            return await self._in_process(job, arguments, context)
        return await self._in_thread(functools.partial(job.function, **arguments), context)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._processes.close()

    async def _on_loop(self, running: Coroutine[Any, Any, Any], context: JobContext) -> Any:
        task = asyncio.create_task(running)
        context.on_stop(task.cancel)
        if not await self._ended(task, context):
            self._abandoned.add(task)
            task.add_done_callback(self._forget)
            raise GivenUp(GivenUp.__doc__)
        return _returned(task)

    async def _in_thread(self, call: Callable[[], Any], context: JobContext) -> Any:
        run = _Thread(call)
        running = asyncio.get_running_loop().run_in_executor(self._threads, run)
        if await self._ended(running, context):
            return _returned(running)
        run.interrupt()
        if await self._ended(running, context):
            return _returned(running)
        # Python can't end a thread: it keeps its place, so others get a new one.
        self._threads.shutdown(wait=False)
        self._threads = ThreadPoolExecutor(self._slots, "job")
        raise GivenUp(GivenUp.__doc__)

    async def _in_process(self, job: Job[..., Any], arguments: dict[str, Any], context: JobContext) -> Any:
        process = self._processes.take()
        running = asyncio.wrap_future(process.submit(job.function, arguments))
        try:
            if await self._ended(running, context):
                return _returned(running)
        finally:
            self._processes.give_back(process, usable=running.done() and not process.broken)
        raise Ended(Ended.__doc__)

    async def _ended(self, running: "asyncio.Future[Any]", context: JobContext) -> bool:
        """Whether it ended; waits a while longer once it is told to stop."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        running.add_done_callback(end)
        context.on_stop(lambda: loop.call_later(self.ends_within_s, end))
        try:
            await over
        except asyncio.CancelledError:
            running.cancel()
            raise
        return running.done()

    def _forget(self, task: object) -> None:
        self._abandoned.discard(task)
        assert isinstance(task, asyncio.Task)
        if not task.cancelled() and (error := task.exception()):
            logger.warning("A job that had been given up has ended", error=repr(error))


def _returned(running: "asyncio.Future[Any]") -> Any:
    if running.cancelled():
        raise Ended(Ended.__doc__)
    return running.result()


async def _kept_in(running: Coroutine[Any, Any, Any]) -> Any:
    """What a job raises ends the job alone."""
    try:
        return await running
    except JobCancelled as cancelled:
        raise Ended(Ended.__doc__) from cancelled
    except (SystemExit, KeyboardInterrupt) as exit_:
        raise Exited(f"{Exited.__doc__} ({exit_!r})") from exit_


class _Thread:
    """A call that can be interrupted where Python runs it: not inside what waits in C."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._thread_id: int | None = None

    def __call__(self) -> Any:
        with self._lock:
            self._thread_id = threading.get_ident()
        try:
            return self._call()
        except JobCancelled as cancelled:
            raise Ended(Ended.__doc__) from cancelled
        except (SystemExit, KeyboardInterrupt) as exit_:
            raise Exited(f"{Exited.__doc__} ({exit_!r})") from exit_
        finally:
            with self._lock:
                self._thread_id = None

    def interrupt(self) -> None:
        with self._lock:
            if self._thread_id is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread_id), ctypes.py_object(JobCancelled)
                )


def was_told_to_end(error: BaseException) -> bool:
    return isinstance(error, Ended | GivenUp)
