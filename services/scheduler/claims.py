"""Answers claims, keeps checkpoints and takes outcomes: what one item of a report does to its job."""

import asyncio
import contextlib
from collections import defaultdict
from uuid import UUID

from msgspec import Raw
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.eventlog.record import EventTooLarge
from linstock.messages.job import (
    DeferAttempt,
    KeepCheckpoint,
    ReportFailure,
    ReportSnooze,
    ReportSuccess,
    StartAttempt,
)
from linstock.messages.message import NOTHING
from linstock.messages.work import Checkpoint, Claim, ClaimAnswer, Outcome
from services.scheduler import metrics
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import ClaimRefused, Running
from services.scheduler.verdicts import UnknownJob, Verdicts

CODE_LIMIT = 100  # characters
DEVICE_LIMIT = 200  # characters
SEEN_WITHIN_S = 1.0
MESSAGE_LIMIT = 2_000
KIND_LIMIT = 20
CHECKPOINT_LIMIT_BYTES = 64 * 1024
LONGEST_SNOOZE_S = 365 * 86_400


class Claims:
    """Every method may be called again for the same item: the answer is the same, and nothing happens twice. They raise
    ClockStale and what Postgres raises; then nobody knows, and the item has to come again."""

    def __init__(self, verdicts: Verdicts, clock: PostgresClock, index: Index) -> None:
        self._verdicts = verdicts
        self._clock = clock
        self._index = index
        self._devices: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, claim: Claim, worker: str) -> ClaimAnswer:
        """Granted only after `JobStarted` is in the log."""
        device, limit = claim.device[:DEVICE_LIMIT], claim.device_limit
        if not device or limit < 1:
            return await self._answer(claim, worker)
        # One after the other, and each when the one before stands in the index. Several schedulers may let one more in.
        async with self._devices[device]:
            if not self._index.has_room(claim.job_id, device, limit):
                return await self._deferred(claim, device)
            answer = await self._answer(claim, worker)
            if answer.granted:
                await self._index.running_soon(claim.job_id, within_s=SEEN_WITHIN_S)
            return answer

    async def _deferred(self, claim: Claim, device: str) -> ClaimAnswer:
        at = self._clock.require()
        command = DeferAttempt(attempt=claim.attempt, device=device, limit=claim.device_limit, at=at)
        with contextlib.suppress(UnknownJob):
            await self._verdicts.tell(claim.job_id, command)
        metrics.CLAIMS.labels("device_busy").inc()
        return ClaimAnswer(
            job_id=claim.job_id, attempt=claim.attempt, lease=claim.lease, granted=False, why="device_busy"
        )

    async def _answer(self, claim: Claim, worker: str) -> ClaimAnswer:
        why, deadline, checkpoint = "", None, NOTHING
        command = StartAttempt(
            attempt=claim.attempt,
            worker=worker,
            lease=claim.lease,
            at=self._clock.require(),
            device=claim.device[:DEVICE_LIMIT],
        )
        try:
            known = await self._verdicts.tell(claim.job_id, command, actor=f"worker:{worker}")
        except ClaimRefused as refused:
            why = refused.why
        except UnknownJob:
            why = "unknown"
        else:
            assert isinstance(known.state, Running)
            deadline, checkpoint = known.state.deadline, known.state.checkpoint
            reach("after_claim_append_before_reply")
        metrics.CLAIMS.labels(why or "granted").inc()
        return ClaimAnswer(
            job_id=claim.job_id,
            attempt=claim.attempt,
            lease=claim.lease,
            granted=not why,
            why=why,
            deadline=deadline,
            checkpoint=checkpoint,
        )

    async def keep(self, checkpoint: Checkpoint, worker: str) -> None:
        """One that is too large, or of an attempt that no longer counts, is dropped: the attempt itself goes on."""
        if len(bytes(checkpoint.data)) > CHECKPOINT_LIMIT_BYTES:
            return
        command = KeepCheckpoint(
            attempt=checkpoint.attempt,
            lease=checkpoint.lease,
            at=self._clock.require(),
            data=Raw(bytes(checkpoint.data)),
        )
        with contextlib.suppress(UnknownJob):
            await self._verdicts.tell(checkpoint.job_id, command, actor=f"worker:{worker}")

    async def settle(self, outcome: Outcome, worker: str) -> None:
        """An outcome for a job that is not ours is dropped: there is nothing to record it on."""
        try:
            await self._verdicts.tell(outcome.job_id, self._command(outcome), actor=f"worker:{worker}")
        except EventTooLarge:
            failure = self._failure(outcome.attempt, outcome.lease, "result_too_large", "The result is too large.")
            await self._verdicts.tell(outcome.job_id, failure, actor=f"worker:{worker}")
        except UnknownJob:
            metrics.CLAIMS.labels("unknown_outcome").inc()

    def _command(self, outcome: Outcome) -> ReportSuccess | ReportFailure | ReportSnooze:
        if outcome.snooze_s is not None:
            return ReportSnooze(
                attempt=outcome.attempt,
                lease=outcome.lease,
                at=self._clock.require(),
                for_s=min(max(outcome.snooze_s, 0), LONGEST_SNOOZE_S),
                reason=outcome.message[:MESSAGE_LIMIT],
            )
        if outcome.succeeded:
            result = Raw(bytes(outcome.result))  # a copy: it must not keep the whole report in memory
            return ReportSuccess(attempt=outcome.attempt, lease=outcome.lease, at=self._clock.require(), result=result)
        failure = self._failure(outcome.attempt, outcome.lease, outcome.code, outcome.message, final=outcome.final)
        return replace(failure, kinds=tuple(kind[:CODE_LIMIT] for kind in outcome.kinds[:KIND_LIMIT]))

    def _failure(self, attempt: int, lease: UUID, code: str, message: str, *, final: bool = True) -> ReportFailure:
        return ReportFailure(
            attempt=attempt,
            lease=lease,
            at=self._clock.require(),
            code=code[:CODE_LIMIT],
            message=message[:MESSAGE_LIMIT],
            final=final,
        )
