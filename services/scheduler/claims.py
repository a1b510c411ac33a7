"""Answers claims, keeps checkpoints and takes outcomes: what one item of a report does to its job."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from msgspec import Raw
from msgspec.structs import replace

from linstock.crashpoints import reach
from linstock.eventlog.record import EventTooLarge
from linstock.messages.job import (
    DeferAttempt,
    JobCommand,
    KeepCheckpoint,
    ReportFailure,
    ReportSnooze,
    ReportSuccess,
    StartAttempt,
)
from linstock.messages.work import Checkpoint, Claim, ClaimAnswer, Outcome
from services.scheduler import metrics
from services.scheduler.clock import PostgresClock
from services.scheduler.index import Index
from services.scheduler.job import ClaimRefused, Running
from services.scheduler.known import KnownJob
from services.scheduler.verdicts import NotTold, Telling, UnknownJob, Verdicts

CODE_LIMIT = 100  # characters
DEVICE_LIMIT = 200  # characters
SEEN_WITHIN_S = 1.0
MESSAGE_LIMIT = 2_000
KIND_LIMIT = 20
CHECKPOINT_LIMIT_BYTES = 64 * 1024
LONGEST_SNOOZE_S = 365 * 86_400


class Claims:
    """`take` may be called again with the same items: the answers are the same, and nothing happens twice. It raises
    ClockStale and what Postgres raises; then nobody knows, and the items have to come again."""

    def __init__(self, verdicts: Verdicts, clock: PostgresClock, index: Index) -> None:
        self._verdicts = verdicts
        self._clock = clock
        self._index = index
        self._devices: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, items: Sequence[Claim | Checkpoint | Outcome], worker: str) -> list[ClaimAnswer]:
        """All items of a report: the answers to its claims, in no order."""
        alone = [item for item in items if isinstance(item, Claim) and item.device and item.device_limit > 0]
        apart = {id(item) for item in alone}
        together = [item for item in items if id(item) not in apart and not _is_too_large(item)]
        actor = f"worker:{worker}"
        tellings = [Telling(item.job_id, self._command_of(item, worker), actor) for item in together]
        told = await self._verdicts.tell_all(tellings)
        if any(isinstance(each, KnownJob) for each in told):
            reach("after_claim_append_before_reply")
        answers = [
            _answered(item, found) for item, found in zip(together, told, strict=True) if isinstance(item, Claim)
        ]
        for item, found in zip(together, told, strict=True):
            if isinstance(item, Outcome) and not isinstance(found, KnownJob):
                await self._not_settled(item, found, actor)
        return answers + await asyncio.gather(*(self._on_device(claim, worker) for claim in alone))

    async def _on_device(self, claim: Claim, worker: str) -> ClaimAnswer:
        """One after the other, each when the one before stands in the index. Several schedulers may let one more in."""
        device, limit = claim.device[:DEVICE_LIMIT], claim.device_limit
        async with self._devices[device]:
            if not self._index.has_room(claim.job_id, device, limit):
                return await self._deferred(claim, device)
            telling = Telling(claim.job_id, self._command_of(claim, worker), f"worker:{worker}")
            [told] = await self._verdicts.tell_all([telling])
            if isinstance(told, KnownJob):
                reach("after_claim_append_before_reply")
                await self._index.running_soon(claim.job_id, within_s=SEEN_WITHIN_S)
            return _answered(claim, told)

    async def _deferred(self, claim: Claim, device: str) -> ClaimAnswer:
        at = self._clock.require()
        command = DeferAttempt(attempt=claim.attempt, device=device, limit=claim.device_limit, at=at)
        with contextlib.suppress(UnknownJob):
            await self._verdicts.tell(claim.job_id, command)
        return _refused(claim, "device_busy")

    async def _not_settled(self, outcome: Outcome, why: NotTold, actor: str) -> None:
        """An outcome for a job that is not ours is dropped: there is nothing to record it on."""
        if isinstance(why, EventTooLarge):
            failure = self._failure(outcome.attempt, outcome.lease, "result_too_large", "The result is too large.")
            await self._verdicts.tell(outcome.job_id, failure, actor=actor)
        else:
            metrics.CLAIMS.labels("unknown_outcome").inc()

    def _command_of(self, item: Claim | Checkpoint | Outcome, worker: str) -> JobCommand:
        match item:
            case Claim():
                return StartAttempt(
                    attempt=item.attempt,
                    worker=worker,
                    lease=item.lease,
                    at=self._clock.require(),
                    device=item.device[:DEVICE_LIMIT],
                )
            case Checkpoint():
                # A copy, as below: it must not keep the whole report in memory.
                data = Raw(bytes(item.data))
                return KeepCheckpoint(attempt=item.attempt, lease=item.lease, at=self._clock.require(), data=data)
            case _:
                return self._command(item)

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


def _answered(claim: Claim, told: KnownJob | NotTold) -> ClaimAnswer:
    if not isinstance(told, KnownJob):
        return _refused(claim, told.why if isinstance(told, ClaimRefused) else "unknown")
    assert isinstance(told.state, Running)
    metrics.CLAIMS.labels("granted").inc()
    return ClaimAnswer(
        job_id=claim.job_id,
        attempt=claim.attempt,
        lease=claim.lease,
        granted=True,
        deadline=told.state.deadline,
        checkpoint=told.state.checkpoint,
    )


def _refused(claim: Claim, why: str) -> ClaimAnswer:
    metrics.CLAIMS.labels(why).inc()
    return ClaimAnswer(job_id=claim.job_id, attempt=claim.attempt, lease=claim.lease, granted=False, why=why)


def _is_too_large(item: Claim | Checkpoint | Outcome) -> bool:
    """The attempt itself goes on."""
    return isinstance(item, Checkpoint) and len(bytes(item.data)) > CHECKPOINT_LIMIT_BYTES
