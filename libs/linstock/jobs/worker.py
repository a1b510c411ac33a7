"""`Worker`: runs the jobs of an application."""

import asyncio
import contextlib
import functools
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import nats.errors
from msgspec import Raw
from opentelemetry.trace import Span, StatusCode

from linstock import names, tracing
from linstock.bus.connection import close, connect
from linstock.cancellation import cancel
from linstock.jobs import address
from linstock.jobs.context import Fail, JobContext, Reach, Snooze
from linstock.jobs.definition import BadParameters, Job
from linstock.jobs.execution import ENDS_WITHIN_S, Executors, was_told_to_end
from linstock.jobs.order_runner import OrderRunner
from linstock.jobs.orders import STOPPED, Failed, Lease, Order, Result, Snoozed
from linstock.jobs.pace import Pace
from linstock.logs import get_logger
from linstock.messages.enqueue import DEFAULT_QUEUE
from linstock.messages.job import JobRequested
from linstock.messages.progress import JobProgress
from linstock.messages.work import Checkpoint

logger = get_logger(__name__)

SAY_EVERY_S = 0.25
RESULT_LIMIT_BYTES = 256 * 1024
MOST_AHEAD = 400
GRACE_S = 25.0
"""Kubernetes waits 30 s by default."""
MESSAGE_LIMIT = 2000  # characters
TRACE_LIMIT = 20  # classes

Filter = Callable[[JobContext, Mapping[str, Any]], Awaitable[None] | None]
"""Called around each attempt, with its context and parameters."""


class NoJobs(ValueError):
    """A worker needs at least one job."""


class Worker:
    """Runs `jobs` (functions with `@job`, or modules that have some), up to `concurrency` at once.

    `queues` come in the order of their importance: a job of a later one starts only when none of an earlier one waits.
    Given as a mapping from queue to weight, they share the slots in that proportion instead, whenever several of them
    have jobs. `before` and `after` are called around each attempt; what `before` raises is the attempt's failure.

    When it is stopped it takes no more jobs and gives those that run `grace_s` to end; what has not ended then is
    handed back, and another worker runs it at once. `nats_url` and `data_dir` are as for Client.
    """

    def __init__(
        self,
        jobs: Iterable[Job[..., Any] | ModuleType],
        *,
        queues: Sequence[str] | Mapping[str, int] = (DEFAULT_QUEUE,),
        concurrency: int = 20,
        nats_url: str | None = None,
        data_dir: Path | None = None,
        workspace: str = names.DEFAULT_WORKSPACE,
        grace_s: float = GRACE_S,
        ends_within_s: float = ENDS_WITHIN_S,
        before: Sequence[Filter] = (),
        after: Sequence[Filter] = (),
        name: str | None = None,
    ) -> None:
        """Raises NoJobs, and ValueError for two jobs of one type."""
        self.jobs = _by_type(jobs)
        self.queues = queues
        self.concurrency = concurrency
        self.nats_url = nats_url
        self.data_dir = data_dir
        self.workspace = workspace
        self.grace_s = grace_s
        self._ends_within_s = ends_within_s
        self._before, self._after = tuple(before), tuple(after)
        self.name = name
        self._runner: OrderRunner | None = None
        self._executors: Executors | None = None
        self._said: dict[str, JobProgress] = {}  # the latest of each job, by subject
        self._saying: asyncio.Task[None] | None = None
        self._keeping: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Worker":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. On uvloop, where that is installed."""
        try:
            import uvloop
        except ImportError:
            asyncio.run(self._run_until_stopped())
        else:
            uvloop.run(self._run_until_stopped())

    async def start(self) -> None:
        """Waits for NATS for as long as it is away. Raises address.NothingRuns."""
        url = self.nats_url or address.nats_url(self.data_dir)
        weights = tuple(self.queues.values()) if isinstance(self.queues, Mapping) else ()
        self._executors = Executors(self.concurrency, ends_within_s=self._ends_within_s)
        self._runner = OrderRunner(
            url,
            queues=tuple(self.queues),
            slots=self.concurrency,
            run=self._attempt,
            workspace=self.workspace,
            weights=weights,
            worker_id=self.name,
            hands_back=True,
            stop_within_s=self.grace_s,
            pace=Pace(self.concurrency, most_ahead=MOST_AHEAD),
        )
        await self._runner.start()
        self._saying = asyncio.create_task(self._say(url))
        logger.info(
            "Worker is ready", worker=self._runner.worker_id, queues=list(self.queues), concurrency=self.concurrency
        )

    async def stop(self) -> None:
        """See the class. Safe to call twice."""
        runner, self._runner = self._runner, None
        if runner:
            logger.info("Worker stops", worker=runner.worker_id, running=runner.running)
            await runner.stop()
        if self._saying:
            await cancel(self._saying)
            self._saying = None
        if self._executors:
            self._executors.close()
            self._executors = None

    async def _run_until_stopped(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stopped.set)
        async with self:
            await stopped.wait()

    async def _attempt(self, order: Order, lease: Lease) -> Result:
        request = order.request
        if not isinstance(request, JobRequested) or request.job_type not in self.jobs:
            known = ", ".join(sorted(self.jobs))
            job_type = request.job_type if isinstance(request, JobRequested) else "LibraryScan"
            # Another worker may have it, or a newer one that is about to start.
            raise Failed("unknown_type", f"this worker has no job {job_type!r}; it has {known}")
        job = self.jobs[request.job_type]
        context = self._context(order, request, lease)
        headers = {tracing.HEADER: order.traceparent} if order.traceparent else None
        with tracing.span(f"run {job.job_type}", headers) as span:
            _describe(span, order, request)
            try:
                arguments = job.arguments(bytes(request.payload), request.payload_version)
                returned = await self._guarded(job, context, arguments, lease)
                return _encoded(job, returned)
            except Exception as error:
                span.set_status(StatusCode.ERROR, str(error)[:MESSAGE_LIMIT])
                return _ended(job, error, lease)

    async def _guarded(self, job: Job[..., Any], context: JobContext, arguments: dict[str, Any], lease: Lease) -> Any:
        assert self._executors
        lease.on_end(functools.partial(_pass_on, context, self.grace_s))
        if self._before:
            await _call(self._before, context, arguments)
        try:
            return await self._executors.run(job, context, arguments)
        finally:
            if self._after:
                await _call(self._after, context, arguments)

    def _context(self, order: Order, request: JobRequested, lease: Lease) -> JobContext:
        loop = asyncio.get_running_loop()
        subject = names.progress_subject(order.workspace, request.job_id)

        def progress(said: JobProgress) -> None:
            self._said[subject] = said  # of whichever thread

        def keep(data: bytes) -> None:
            kept = Checkpoint(job_id=request.job_id, attempt=order.attempt, lease=lease.lease, data=Raw(data))
            loop.call_soon_threadsafe(self._keep, order.workspace, kept)

        return JobContext(
            job_id=request.job_id,
            attempt=order.attempt,
            job_type=request.job_type,
            deadline=lease.deadline,
            checkpoint=lease.checkpoint,
            reach=Reach(progress=progress, keep=keep),
        )

    def _keep(self, workspace: str, checkpoint: Checkpoint) -> None:
        if self._runner:
            task = asyncio.create_task(self._runner.reporter.report(workspace, checkpoint))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _say(self, url: str) -> None:
        client = await connect(url, "linstock-progress")
        try:
            while True:
                await asyncio.sleep(SAY_EVERY_S)
                said, self._said = self._said, {}
                with contextlib.suppress(nats.errors.Error, OSError):
                    for subject, progress in said.items():
                        await client.publish(subject, msgspec.json.encode(progress))
        finally:
            await close(client)


def _by_type(jobs: Iterable[Job[..., Any] | ModuleType]) -> dict[str, Job[..., Any]]:
    found: dict[str, Job[..., Any]] = {}
    for each in jobs:
        several = (
            [each] if isinstance(each, Job) else [value for value in vars(each).values() if isinstance(value, Job)]
        )
        for job in several:
            if found.setdefault(job.job_type, job).function is not job.function:
                raise ValueError(f"two jobs are called {job.job_type}: give one of them another name")
    if not found:
        raise NoJobs(NoJobs.__doc__)
    return found


def _pass_on(context: JobContext, grace_s: float, why: str) -> None:
    """A worker that stops lets what runs go on for most of its grace."""
    if why == STOPPED:
        asyncio.get_running_loop().call_later(max(0.0, grace_s - 1), context.stop, why)
    else:
        context.stop(why)


async def _call(filters: Sequence[Filter], context: JobContext, arguments: Mapping[str, Any]) -> None:
    for each in filters:
        called = each(context, arguments)
        if called is not None:
            await called


def _encoded(job: Job[..., Any], returned: Any) -> Raw:
    try:
        encoded = msgspec.json.encode(returned)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failed(
            "result_not_serialisable", f"what {job.job_type} returned is no JSON: {error}", final=True
        ) from error
    if len(encoded) > RESULT_LIMIT_BYTES:
        most = RESULT_LIMIT_BYTES // 1024
        detail = (
            f"what {job.job_type} returned has {len(encoded)} bytes; at most {most} KiB are kept: store it elsewhere"
        )
        raise Failed("result_too_large", detail, final=True)
    return Raw(encoded)


def _ended(job: Job[..., Any], error: Exception, lease: Lease) -> Result:
    """Raises Failed."""
    match error:
        case Failed():
            raise error
        case Snooze(seconds=for_s, reason=reason):
            return Snoozed(for_s=for_s, reason=reason[:MESSAGE_LIMIT])
        case Fail(reason=reason, code=code):
            raise Failed(code, reason[:MESSAGE_LIMIT], final=True) from error
        case BadParameters():
            raise Failed("bad_parameters", str(error)[:MESSAGE_LIMIT], final=True) from error
        case _ if was_told_to_end(error) and lease.lost.is_set():
            return Snoozed(for_s=0, reason="its worker was stopped")  # counts only if that is why
        case _:
            logger.warning("Job failed", job_type=job.job_type, exc_info=error)
            kinds = tuple(kind.__name__ for kind in type(error).__mro__[:-1])[:TRACE_LIMIT]
            message = (str(error) or type(error).__name__)[:MESSAGE_LIMIT]
            raise Failed(type(error).__name__, message, kinds=kinds) from error


def _describe(span: Span, order: Order, request: JobRequested) -> None:
    span.set_attribute("linstock.job.id", str(request.job_id))
    span.set_attribute("linstock.job.type", request.job_type)
    span.set_attribute("linstock.job.queue", request.queue)
    span.set_attribute("linstock.job.attempt", order.attempt)
