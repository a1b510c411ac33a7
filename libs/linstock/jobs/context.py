"""What a running job is told, and what it may say."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw

from linstock.messages.message import NOTHING
from linstock.messages.progress import JobProgress

T = TypeVar("T")

CHECKPOINT_LIMIT_BYTES = 64 * 1024
NOTHING_KEPT = bytes(NOTHING)


class JobCancelled(BaseException):  # like asyncio's: what catches Exception must not swallow it
    """The job is to end: it was cancelled, its time is up, or its worker stops."""


class Snooze(Exception):
    """Raised by a job that can't do its work yet: it is run again in `seconds`, and this was no failed attempt."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason or self.__doc__)
        self.seconds, self.reason = seconds, reason


class Fail(Exception):
    """Raised by a job whose failure no retry will mend."""

    def __init__(self, reason: str, code: str = "failed") -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


class Reach:
    """How a context reaches its worker: all of it may be called from any thread."""

    def __init__(self, *, progress: Callable[[JobProgress], None], keep: Callable[[bytes], None]) -> None:
        self.progress, self.keep = progress, keep


class JobContext:
    """Of one attempt. Its methods may be called from any thread, and do not wait for anything.

    `job_id` is the same for all attempts: use `idempotency_key` for effects elsewhere that must happen once.
    """

    def __init__(
        self,
        *,
        job_id: UUID,
        attempt: int,
        job_type: str,
        deadline: datetime | None,
        checkpoint: bytes | Raw,
        reach: Reach,
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.job_type = job_type
        self.deadline = deadline
        self._checkpoint: bytes | Raw = checkpoint
        self._reach = reach
        self._stopped = ""
        self._on_stop: list[Callable[[], object]] = []
        self._progress = JobProgress(attempt=attempt)
        self._stages: list[tuple[str, float]] = []

    @property
    def idempotency_key(self) -> str:
        return str(self.job_id)

    @property
    def cancelled(self) -> bool:
        """Whether it is to end: look at it now and then in a plain function, or call `check`."""
        return bool(self._stopped)

    @property
    def stopped_by(self) -> str:
        """Why: cancelled | timed_out | lost | stopped; empty while it may go on."""
        return self._stopped

    def check(self) -> None:
        """Raises JobCancelled when the job is to end."""
        if self._stopped:
            raise JobCancelled(self._stopped)

    def checkpoint(self, kind: type[T] | Any = Any) -> T | Any | None:
        """What an earlier attempt kept last, decoded as `kind`; None if none did. Raises msgspec.ValidationError."""
        found = bytes(self._checkpoint)
        return None if found == NOTHING_KEPT else msgspec.json.decode(found, type=kind)

    def keep(self, data: Any) -> None:
        """How far this attempt is, for the next one, should this one not end: whatever JSON can carry, at most 64 KiB.
        It is stored within milliseconds; the last word before a crash may be lost. Raises ValueError, TypeError."""
        encoded = msgspec.json.encode(data)
        if len(encoded) > CHECKPOINT_LIMIT_BYTES:
            raise ValueError(f"a checkpoint has at most {CHECKPOINT_LIMIT_BYTES // 1024} KiB, not {len(encoded)} bytes")
        self._checkpoint = encoded
        self._reach.keep(encoded)

    def stage(self, name: str, weight: float = 1.0) -> None:
        """A new part of the work begins; `progress` is about this part from now on. The weights of all parts that the
        job announces with `stages` say how much of the whole each is."""
        if not any(known == name for known, _ in self._stages):
            self._stages.append((name, weight))
        self._tell(msgspec.structs.replace(self._progress, stage=name, stage_fraction=0.0))

    def stages(self, **weights: float) -> None:
        """All parts that there will be, in order, so that progress counts the later ones from the start."""
        self._stages = list(weights.items())

    def progress(self, fraction: float, message: str = "") -> None:
        """How much of this stage, or of the whole, is done: 0 to 1. The latest word is passed on 4 times a second."""
        fraction = min(max(fraction, 0.0), 1.0)
        self._tell(msgspec.structs.replace(self._progress, stage_fraction=fraction, message=message[:500]))

    def _tell(self, said: JobProgress) -> None:
        self._progress = msgspec.structs.replace(said, fraction=self._whole(said))
        self._reach.progress(self._progress)

    def _whole(self, said: JobProgress) -> float:
        total = sum(weight for _, weight in self._stages)
        if not said.stage or total <= 0:
            return said.stage_fraction
        done = 0.0
        for name, weight in self._stages:
            if name == said.stage:
                return (done + weight * said.stage_fraction) / total
            done += weight
        return said.stage_fraction

    def on_stop(self, listener: Callable[[], object]) -> None:
        """Called on the worker's loop once the job is to end: at once if it is already."""
        if self._stopped:
            listener()
        else:
            self._on_stop.append(listener)

    def stop(self, why: str) -> None:
        """By its worker: the job is to end."""
        if not self._stopped:
            self._stopped = why
            for listener in self._on_stop:
                listener()
