"""`BlockingClient`: the Client for code that is not async. A thread of its own runs the loop."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from linstock import names
from linstock.jobs.client import Client, Handle, Which
from linstock.jobs.definition import Job, Seconds
from linstock.messages.asked import JobTold
from linstock.messages.enqueue import WantedJob

T = TypeVar("T")


class BlockingClient:
    """As Client, method by method; may be used from any number of threads. Handles are for their `id`: ask the client
    how they stand."""

    def __init__(
        self, nats_url: str | None = None, *, workspace: str = names.DEFAULT_WORKSPACE, data_dir: Path | None = None
    ) -> None:
        self._client = Client(nats_url, workspace=workspace, data_dir=data_dir)
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "BlockingClient":
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def connect(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop.run_forever, name="linstock-client", daemon=True)
            self._thread.start()
        self._do(self._client.connect())

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def enqueue(self, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        return self._do(self._client.enqueue(job, *args, **kwargs))

    def delay(self, by: Seconds, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        return self._do(self._client.delay(by, job, *args, **kwargs))

    def at(self, when: datetime, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        return self._do(self._client.at(when, job, *args, **kwargs))

    def continue_with(
        self, parents: Which | Sequence[Which], job: Job[..., Any], *args: Any, on: str = "success", **kwargs: Any
    ) -> Handle:
        return self._do(self._client.continue_with(parents, job, *args, on=on, **kwargs))

    def enqueue_many(
        self, job: Job[..., Any], parameters: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Handle]:
        return self._do(self._client.enqueue_many(job, parameters, idempotency_key=idempotency_key))

    def enqueue_wanted(self, wanted: Sequence[WantedJob], *, idempotency_key: str | None = None) -> list[Handle]:
        return self._do(self._client.enqueue_wanted(wanted, idempotency_key=idempotency_key))

    def cancel(self, job: Which, reason: str = "") -> None:
        self._do(self._client.cancel(job, reason))

    def retry(self, job: Which) -> Handle:
        return self._do(self._client.retry(job))

    def status(self, job: Which) -> JobTold:
        return self._do(self._client.status(job))

    def wait(self, job: Which, timeout: Seconds = 60) -> JobTold:
        return self._do(self._client.wait(job, timeout))

    def wait_for_all(self, jobs: Sequence[Which], timeout: Seconds = 60) -> list[JobTold]:
        return self._do(self._client.wait_for_all(jobs, timeout))

    def result(self, job: Which, kind: Any = Any, timeout: Seconds = 60) -> Any:
        return self._do(self._client.result(job, kind, timeout))

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            what.close()
            raise ConnectionError("The client is not connected: use `with BlockingClient() as client`, or `connect`.")
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()
