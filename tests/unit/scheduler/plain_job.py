"""A job as somebody would explain it, in plain Python: no code of the product, no events. `test_job_model.py` compares.

Every method is one thing that may happen to the job. It changes the model and says in one word what should be
recorded ("" for nothing); a refused claim is its reason with a minus before it.
"""

from dataclasses import dataclass, field
from uuid import UUID

DELAYS_S = (5, 20)
TIMEOUT_S = 60


@dataclass
class PlainJob:
    """Seconds count from when it was asked for. `after` is what it waits for: the parent, and which ends will do."""

    max_retries: int
    after: dict[UUID, frozenset[str]]
    status: str = "pending"  # awaiting | pending | running | paused | one of the verdicts
    attempt: int = 1
    due: int = 0
    lease: UUID | None = None
    deadline: int = 0
    failures: int = 0
    checkpoint: bytes = b"null"
    rested: tuple[int, UUID] | None = None  # what ran until it was paused
    said: set[tuple[int, UUID, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.after:
            self.status = "awaiting"

    @property
    def over(self) -> bool:
        return self.status in ("succeeded", "failed", "timed_out", "cancelled")

    def claim(self, attempt: int, lease: UUID, now: int) -> str:
        if self.over or self.status in ("paused", "awaiting"):
            return {"paused": "-paused", "awaiting": "-waits"}.get(self.status, "-closed")
        if attempt != self.attempt:
            return "-superseded"
        if self.status == "running":
            return "" if lease == self.lease else "-taken"
        if now < self.due:
            return "-not_due"
        self.status, self.lease, self.deadline = "running", lease, now + TIMEOUT_S
        return "JobStarted"

    def succeeds(self, attempt: int, lease: UUID) -> str:
        if word := self._unheard(attempt, lease, "succeeded"):
            late = self.status == "paused" and self.rested == (attempt, lease)
            if not (late or self._runs(attempt, lease)):
                return word
            self.status = "succeeded"
            return "JobSucceeded"
        return ""

    def fails(self, attempt: int, lease: UUID, now: int, *, final: bool) -> str:
        if word := self._unheard(attempt, lease, "failed"):
            if not self._runs(attempt, lease):
                return word
            delay_s = DELAYS_S[min(self.failures, len(DELAYS_S) - 1)]
            return self._failed(now + delay_s, final=final)
        return ""

    def snoozes(self, attempt: int, lease: UUID, now: int, for_s: int) -> str:
        if word := self._unheard(attempt, lease, "snoozed"):
            if not self._runs(attempt, lease):
                return word
            self._next(now + for_s)
            return "JobSnoozed"
        return ""

    def keeps(self, attempt: int, lease: UUID, data: bytes) -> str:
        if not self._runs(attempt, lease) or self.checkpoint == data:
            return ""
        self.checkpoint = data
        return "JobCheckpointed"

    def loses_lease(self, attempt: int, lease: UUID, now: int) -> str:
        return self._failed(now, final=False) if self._runs(attempt, lease) else ""

    def time_passes(self, attempt: int, now: int) -> str:
        if self.status != "running" or attempt != self.attempt or now < self.deadline:
            return ""
        self.status = "timed_out"
        return "JobTimedOut"

    def is_cancelled(self) -> str:
        if self.over:
            return ""
        self.status = "cancelled"
        return "JobCancelled"

    def pauses(self, now: int) -> str:
        if self.status not in ("pending", "running"):
            return ""
        self.rested = None
        if self.status == "running":
            assert self.lease
            self.rested = (self.attempt, self.lease)
            self._next(now)
        self.status = "paused"
        return "JobPaused"

    def goes_on(self, now: int) -> str:
        if self.status != "paused":
            return ""
        self.status, self.due = "pending", max(self.due, now)
        return "JobResumed"

    def parent_ends(self, parent: UUID, verdict: str, now: int) -> str:
        if self.status != "awaiting" or parent not in self.after:
            return ""
        if ("success" if verdict == "succeeded" else "failure") not in self.after[parent]:
            self.status = "cancelled"
            return "JobCancelled"
        del self.after[parent]
        self.due = max(self.due, now)
        self.status = "awaiting" if self.after else "pending"
        return "JobReleased"

    def _runs(self, attempt: int, lease: UUID) -> bool:
        return self.status == "running" and (self.attempt, self.lease) == (attempt, lease)

    def _unheard(self, attempt: int, lease: UUID, outcome: str) -> str:
        """Whatever it says, it is heard from now on."""
        if (attempt, lease, outcome) in self.said:
            return ""
        self.said.add((attempt, lease, outcome))
        return "OutcomeIgnored"

    def _failed(self, due: int, *, final: bool) -> str:
        self.failures += 1
        if final or self.failures > self.max_retries:
            self.status = "failed"
            return "JobFailed"
        self._next(due)
        return "JobRetryScheduled"

    def _next(self, due: int) -> None:
        self.status, self.attempt, self.lease, self.due = "pending", self.attempt + 1, None, due
