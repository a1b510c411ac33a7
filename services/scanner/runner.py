"""Runs one order: own the catalogue, walk, record pages, give the verdict.

The verdict is the scanner's own event; nothing is ever reported beside it. Whatever happens, an attempt ends in one of
three ways: with its verdict, closed by somebody else, or (the log being away) silently, and then its lease lapses.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from uuid import UUID

import structlog
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.disk import Disk
from linstock.eventlog.log import EventLog
from linstock.eventlog.record import Recorded
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.messages.job import ScanRequested
from linstock.messages.scan import ScanCompleted, ScanFailed
from linstock.roots import EVERYWHERE, AllowedRoots
from services.scanner import metrics, outcome
from services.scanner.catalogue import NotOwner
from services.scanner.checkpoint import SoFar
from services.scanner.contents.verification import Verification
from services.scanner.expedition import Expedition
from services.scanner.file_system import file_system_of
from services.scanner.index import Index
from services.scanner.journal import Journal
from services.scanner.ledger import Attempt, Ledger
from services.scanner.listing import Stopped
from services.scanner.opened import OpenedArchives
from services.scanner.preview import Preview
from services.scanner.progress import Publish, progress
from services.scanner.purging import PurgePolicy
from services.scanner.reach import resolve
from services.scanner.removals import Concluded, Looked, Removals
from services.scanner.scan import AttemptClosed
from services.scanner.scope import Scope
from services.scanner.tally import Tally
from services.scanner.task import VERIFY, Task
from services.scanner.walk import RootUnavailable

logger = structlog.get_logger(__name__)

CountUnread = Callable[[UUID], Awaitable[int]]
"""How many collections of a library hold images that nobody has looked into yet."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runner:
    """Runs any number of orders at once, each walk on a thread of `executor`. An order that comes twice is harmless."""

    def __init__(
        self,
        log: EventLog,
        index: Index,
        archives: OpenedArchives,
        journal: Journal,
        *,
        executor: Executor,
        publish: Publish,
        disk: Disk | None = None,
        roots: AllowedRoots = EVERYWHERE,
        count_unread: CountUnread | None = None,
        now: Callable[[], datetime] = utc_now,
        file_system_of: Callable[[bytes], str] = file_system_of,
    ) -> None:
        self._log = log
        self._index = index
        self._archives = archives
        self._journal = journal
        self._executor = executor
        self._publish = publish
        self._disk = disk or Disk(None)
        self._roots = roots
        self._count_unread = count_unread
        self._now = now
        self._file_system_of = file_system_of
        self._policy = PurgePolicy(log, index)
        self._running: dict[threading.Event, Attempt] = {}
        self._stopping = False

    async def run(self, order: Order, lease: Lease) -> OwnVerdict:
        """Returns when the attempt has ended, however it did."""
        attempt = _attempt_of(order, lease)
        named = {"scan_id": str(attempt.scan_id), "attempt": attempt.attempt}
        with (
            structlog.contextvars.bound_contextvars(**named),
            metrics.RUNNING.track_inprogress(),
            self._stoppable(attempt) as stopping,
        ):
            reach("after_claim")
            how = await self._ended(attempt, order, lease, stopping)
            metrics.SCANS.labels(how).inc()
            logger.info("Scan ended", outcome=how)
        return OwnVerdict()

    @property
    def busy(self) -> bool:
        """While anything is scanned here."""
        return bool(self._running)

    def stop_walk(self, scan_id: UUID, attempt: int) -> None:
        """The attempt, and those before it, were closed elsewhere."""
        for stopping, running in self._running.items():
            if running.scan_id == scan_id and running.attempt <= attempt:
                stopping.set()

    def stop(self) -> None:
        """Every walk ends at its next folder, and says that it did not fail for good."""
        self._stopping = True
        for stopping in self._running:
            stopping.set()

    @contextlib.contextmanager
    def _stoppable(self, attempt: Attempt) -> Iterator[threading.Event]:
        """While the block runs, whoever may stop this attempt can."""
        stopping = threading.Event()
        self._running[stopping] = attempt
        if self._stopping:
            stopping.set()
        try:
            yield stopping
        finally:
            del self._running[stopping]

    async def _ended(self, attempt: Attempt, order: Order, lease: Lease, stopping: threading.Event) -> str:
        ledger = Preview(self._log, attempt) if _request(order).dry_run else Ledger(self._log, attempt)
        try:
            return await self._try(ledger, attempt, order, lease, stopping)
        except AttemptClosed:
            return "closed"
        except NotOwner as lost:
            return await self._superseded(ledger, attempt, lost)
        except RootUnavailable as error:
            return await self._fail(ledger, attempt, error.code, str(error), final=True)
        except Stopped:
            if not self._stopping:
                return "closed"
            return await self._fail(ledger, attempt, "stopped", "The scanner was stopped. The scan runs again.")
        except Exception as error:
            logger.exception("Scan failed")
            text = f"{type(error).__name__}: {error}"[:2000]
            return await self._fail(ledger, attempt, "unexpected", text)

    async def _try(
        self, ledger: Ledger | Preview, attempt: Attempt, order: Order, lease: Lease, stopping: threading.Event
    ) -> str:
        began = time.monotonic()
        closed = await self._journal.begin(
            scan_id=attempt.scan_id, library_id=attempt.library_id, attempt=attempt.attempt
        )
        if closed is not None:
            raise AttemptClosed(attempt.scan_id, attempt.attempt)
        await ledger.start(self._now())
        reach("after_scan_started")
        async with self._observed(tally := Tally(), attempt, lease, stopping):
            await self._index.catch_up(self._log, attempt.library_id, version=ledger.version)
            reach("after_index_catch_up")
            earlier = SoFar()
            if attempt.attempt > 1:
                earlier = await self._index.so_far(attempt.library_id, attempt.scan_id)
            walk = await self._walked(ledger, attempt, order, tally, stopping)
            if lease.lost.is_set() and not self._stopping:
                raise Stopped
            await self._verified(walk, attempt, stopping)
            tally.phase = "concluding"
            ended = await self._conclude(ledger, attempt, walk, order, earlier)
        verdict = self._verdict(walk, attempt, ended, earlier, duration_ms=round((time.monotonic() - began) * 1000))
        if self._count_unread and not walk.task.dry_run:
            verdict = replace(verdict, unenriched=await self._count_unread(attempt.library_id))
        reach("before_verdict")
        recorded = await self._complete(ledger, verdict, ended)
        reach("after_verdict_append_before_index")
        if recorded:
            await self._index.apply(attempt.library_id, recorded)
        metrics.SCAN_SECONDS.observe(verdict.duration_ms / 1000)
        metrics.FILES.inc(verdict.counts.files)
        if walk.task.reach.whole and not walk.task.dry_run and not ended.waiting:
            await self._purge(attempt, order)
        return "completed"

    async def _purge(self, attempt: Attempt, order: Order) -> None:
        """The scan has its verdict: whatever goes wrong here is no fault of it."""
        try:
            await self._policy.after(attempt, _request(order).target.purge_missing_after_days, self._now())
        except Exception:
            logger.exception("What is missing could not be purged; the next scan tries again")

    async def _verified(self, walk: Expedition, attempt: Attempt, stopping: threading.Event) -> None:
        task = walk.task
        if task.mode != VERIFY or task.dry_run:
            return
        verification = Verification(
            task,
            attempt,
            log=self._log,
            index=self._index,
            tally=walk.tally,
            stopping=stopping,
            now=self._now,
        )
        await verification.run(self._executor)

    async def _walked(
        self, ledger: Ledger | Preview, attempt: Attempt, order: Order, tally: Tally, stopping: threading.Event
    ) -> Expedition:
        task = await asyncio.get_running_loop().run_in_executor(self._executor, _task_of, attempt, order, self._roots)
        walk = Expedition(
            task,
            scan_id=attempt.scan_id,
            resumes=attempt.attempt > 1,
            tally=tally,
            stopping=stopping,
            ledger=ledger,
            index=self._index,
            archives=self._archives,
            disk=self._disk,
            now=self._now,
            file_system_of=self._file_system_of,
        )
        await walk.run(self._executor)
        return walk

    @contextlib.asynccontextmanager
    async def _observed(
        self, tally: Tally, attempt: Attempt, lease: Lease, stopping: threading.Event
    ) -> AsyncIterator[None]:
        """While the block runs: progress is told, and the walk stops when the lease is lost."""
        watching = asyncio.create_task(_stop_when_lost(stopping, lease))
        try:
            async with progress(tally, workspace=attempt.workspace, scan_id=attempt.scan_id, publish=self._publish):
                yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _conclude(
        self, ledger: Ledger | Preview, attempt: Attempt, walk: Expedition, order: Order, earlier: SoFar
    ) -> Concluded:
        """A dry run only counts what is not there."""
        tally, task = walk.tally, walk.task
        if isinstance(ledger, Preview):
            unseen = await self._index.unseen(
                attempt.library_id, task.scope, tally.seen, unknown=tally.knows_nothing_of, reach=task.reach
            )
            return Concluded(unseen=unseen)
        allowed = _request(order).target.guard
        removals = Removals(attempt, ledger=ledger, index=self._index, allowed=allowed, now=self._now, earlier=earlier)
        before, after = walk.file_systems
        return await removals.conclude(Looked(tally=tally, before=before, after=after, reach=task.reach), task.scope)

    async def _complete(self, ledger: Ledger | Preview, verdict: ScanCompleted, ended: Concluded) -> list[Recorded]:
        if isinstance(ledger, Preview):
            await ledger.complete(replace(verdict, dry_run=True))
            return []
        return await ledger.complete(verdict, held=ended.held, settles=ended.settles, file_system=ended.file_system)

    def _verdict(
        self, walk: Expedition, attempt: Attempt, ended: Concluded, earlier: SoFar, *, duration_ms: int
    ) -> ScanCompleted:
        return ScanCompleted(
            scan_id=attempt.scan_id,
            library_id=attempt.library_id,
            attempt=attempt.attempt,
            lease=attempt.lease,
            counts=outcome.counts(walk.tally, ended.unseen, missing=ended.missing, earlier=earlier),
            duration_ms=duration_ms,
            held=ended.waiting,
            at=self._now(),
            report=outcome.report(walk.tally, ended.unseen),
        )

    async def _superseded(self, ledger: Ledger | Preview, attempt: Attempt, lost: NotOwner) -> str:
        """Another scan of this library took over: this one ends for good, or the two would take turns for ever."""
        if lost.owner is None or lost.owner.scan_id == attempt.scan_id:
            return "closed"
        text = f"Scan {lost.owner.scan_id} of the same library took over."
        return await self._fail(ledger, attempt, "superseded", text, final=True)

    async def _fail(
        self, ledger: Ledger | Preview, attempt: Attempt, code: str, message: str, *, final: bool = False
    ) -> str:
        verdict = ScanFailed(
            scan_id=attempt.scan_id,
            library_id=attempt.library_id,
            attempt=attempt.attempt,
            lease=attempt.lease,
            code=code,
            message=message,
            final=final,
            at=self._now(),
        )
        logger.warning("Scan failed", code=code, reason=message, final=final)
        try:
            await ledger.fail(verdict)
        except Exception:
            logger.exception("The failure can't be recorded; the lease will lapse")
        return code


async def _stop_when_lost(stopping: threading.Event, lease: Lease) -> None:
    await lease.lost.wait()
    stopping.set()


def _request(order: Order) -> ScanRequested:
    assert isinstance(order.request, ScanRequested), "the queue of scans holds nothing else"
    return order.request


def _attempt_of(order: Order, lease: Lease) -> Attempt:
    request = _request(order)
    return Attempt(
        scan_id=request.job_id,
        library_id=request.target.library_id,
        attempt=order.attempt,
        lease=lease.lease,
        worker=lease.worker,
        root=request.target.library_path,
        workspace=order.workspace,
        correlation_id=order.correlation_id,
        causation_id=order.event_id,
        traceparent=order.traceparent,
    )


def _task_of(attempt: Attempt, order: Order, roots: AllowedRoots) -> Task:
    """Looks at the disk: blocks."""
    request, root = _request(order), os.fsencode(attempt.root)
    target = request.target
    scope = Scope(
        include_subfolders=request.include_subfolders and target.include_subfolders,
        exclude_patterns=target.exclude_patterns,
        extensions=target.extensions,
    )
    paths = [path.path.encode() if path.path_bytes is None else path.path_bytes for path in request.scope]
    return Task(
        library_id=attempt.library_id,
        root=root,
        scope=scope,
        mode=request.scan_mode,
        bounds=roots.bounds(),
        reach=resolve(root, paths),
        dry_run=request.dry_run,
    )
