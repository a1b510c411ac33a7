"""Tells workers of attempts that no longer count, so that they can stop. Core NATS: what is lost is said again with the
worker's next signs of life, and until then the attempt only works for nothing."""

import asyncio
from collections.abc import Coroutine, Sequence
from uuid import UUID

import msgspec
import nats.errors
import structlog
from msgspec import Struct
from nats.aio.client import Client

from linstock import names
from linstock.eventlog.log import EventLog
from linstock.messages import work
from linstock.messages.work import SignOfLife, StopAttempt
from services.scheduler.index import Index
from services.scheduler.job import Closed, Job, Pending, Running

logger = structlog.get_logger(__name__)

MOST_DOUBTED = 100_000
CATCH_UP_S = 1.0


class Attempt(Struct, frozen=True):
    worker: str
    attempt: int
    lease: UUID


class Stops:
    def __init__(self, client: Client, index: Index, log: EventLog) -> None:
        self._client = client
        self._index = index
        self._log = log
        self._running: dict[UUID, Attempt] = {}
        self._doubted: set[UUID] = set()  # leases that a sign named and the index did not know
        self._saying: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._index.on_job(self._note)
        self._index.on_closed(self._closed)
        for job_id in self._index.running:
            self._note(job_id)

    async def stop(self) -> None:
        if self._saying:
            await asyncio.wait(self._saying, timeout=1)

    def hear(self, sign: SignOfLife) -> None:
        """An attempt that a worker still runs, and that the index does not know to run for two signs in a row, may be
        over: the first may only be ahead of the index."""
        doubted = []
        for named in sign.running:
            if self._is_current(named):
                self._doubted.discard(named.lease)
            elif named.lease in self._doubted:
                doubted.append(named)
            else:
                if len(self._doubted) > MOST_DOUBTED:
                    self._doubted.clear()
                self._doubted.add(named.lease)
        if doubted:
            self._soon(self._look(sign.worker, doubted))

    async def _look(self, worker: str, doubted: Sequence[work.Running]) -> None:
        """Both signs may have come at once, after we stood still: only an index that has all that the log had when they
        came can say that an attempt is over. Whoever is told nothing now gives another sign."""
        try:
            caught_up = await self._index.reached(await self._log.last_position(), timeout_s=CATCH_UP_S)
        except Exception as error:  # Postgres is away
            logger.debug("Attempts that may be over can't be looked at", worker=worker, error=repr(error))
            return
        if caught_up:
            for named in doubted:
                if not self._is_current(named):
                    self._say(worker, named.job_id, named.attempt, named.lease, "lost")

    def _is_current(self, named: work.Running) -> bool:
        known = self._index.running.get(named.job_id)
        return known is not None and isinstance(known.state, Running) and known.state.lease == named.lease

    def _note(self, job_id: UUID) -> None:
        known = self._index.jobs.get(job_id)
        if known is None:
            return  # closed, as we were told
        before = self._running.pop(job_id, None)
        if isinstance(known.state, Running):
            self._running[job_id] = Attempt(known.state.worker, known.state.attempt, known.state.lease)
        if before is not None and before != self._running.get(job_id):
            self._over(job_id, before, known.state)

    def _closed(self, closed: Closed) -> None:
        before = self._running.pop(closed.facts.job_id, None)
        if before is not None:
            self._over(closed.facts.job_id, before, closed)

    def _over(self, job_id: UUID, before: Attempt, state: Job) -> None:
        heard = state.heard if isinstance(state, Pending | Closed) else ()
        if any(each.lease == before.lease for each in heard):
            return  # the worker said so itself
        verdict = state.verdict if isinstance(state, Closed) else ""
        why = verdict if verdict in ("cancelled", "timed_out") else "lost"
        self._say(before.worker, job_id, before.attempt, before.lease, why)

    def _say(self, worker: str, job_id: UUID, attempt: int, lease: UUID, why: str) -> None:
        stop = StopAttempt(job_id=job_id, attempt=attempt, lease=lease, why=why)
        self._soon(self._publish(worker, stop))

    def _soon(self, saying: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(saying)
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _publish(self, worker: str, stop: StopAttempt) -> None:
        try:
            await self._client.publish(names.stop_subject(worker), msgspec.json.encode(stop))
        except (nats.errors.Error, OSError, ValueError) as error:
            logger.debug("A worker was not told to stop", worker=worker, error=repr(error))
