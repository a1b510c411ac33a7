"""Answers claims and takes outcomes: what one item of a report does to its job."""

from uuid import UUID

from msgspec import Raw

from linstock.crashpoints import reach
from linstock.eventlog.record import EventTooLarge
from linstock.messages.job import ReportFailure, ReportSuccess, StartAttempt
from linstock.messages.work import Claim, ClaimAnswer, Outcome
from services.scheduler import metrics
from services.scheduler.clock import PostgresClock
from services.scheduler.job import ClaimRefused, Running
from services.scheduler.verdicts import UnknownJob, Verdicts

CODE_LIMIT = 100  # characters
MESSAGE_LIMIT = 2_000


class Claims:
    """Both methods may be called again for the same item: the answer is the same, and nothing happens twice. They raise
    ClockStale and what Postgres raises; then nobody knows, and the item has to come again."""

    def __init__(self, verdicts: Verdicts, clock: PostgresClock) -> None:
        self._verdicts = verdicts
        self._clock = clock

    async def answer(self, claim: Claim, worker: str) -> ClaimAnswer:
        """Granted only after `JobStarted` is in the log."""
        why, deadline = "", None
        command = StartAttempt(attempt=claim.attempt, worker=worker, lease=claim.lease, at=self._clock.require())
        try:
            known = await self._verdicts.tell(claim.job_id, command, actor=f"worker:{worker}")
        except ClaimRefused as refused:
            why = refused.why
        except UnknownJob:
            why = "unknown"
        else:
            assert isinstance(known.state, Running)
            deadline = known.state.deadline
            reach("after_claim_append_before_reply")
        metrics.CLAIMS.labels(why or "granted").inc()
        return ClaimAnswer(
            job_id=claim.job_id,
            attempt=claim.attempt,
            lease=claim.lease,
            granted=not why,
            why=why,
            deadline=deadline,
        )

    async def settle(self, outcome: Outcome, worker: str) -> None:
        """An outcome for a job that is not ours is dropped: there is nothing to record it on."""
        try:
            await self._verdicts.tell(outcome.job_id, self._command(outcome), actor=f"worker:{worker}")
        except EventTooLarge:
            failure = self._failure(outcome.attempt, outcome.lease, "result_too_large", "The result is too large.")
            await self._verdicts.tell(outcome.job_id, failure, actor=f"worker:{worker}")
        except UnknownJob:
            metrics.CLAIMS.labels("unknown_outcome").inc()

    def _command(self, outcome: Outcome) -> ReportSuccess | ReportFailure:
        if outcome.succeeded:
            result = Raw(bytes(outcome.result))  # a copy: it must not keep the whole report in memory
            return ReportSuccess(attempt=outcome.attempt, lease=outcome.lease, at=self._clock.require(), result=result)
        return self._failure(outcome.attempt, outcome.lease, outcome.code, outcome.message, final=outcome.final)

    def _failure(self, attempt: int, lease: UUID, code: str, message: str, *, final: bool = True) -> ReportFailure:
        return ReportFailure(
            attempt=attempt,
            lease=lease,
            at=self._clock.require(),
            code=code[:CODE_LIMIT],
            message=message[:MESSAGE_LIMIT],
            final=final,
        )
