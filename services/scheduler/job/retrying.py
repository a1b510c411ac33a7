"""Whether a failed attempt is followed by another, and when. Pure."""

import hashlib
from uuid import UUID

from linstock.messages.schedule import Backoff, JobPolicy

LONGEST_S = 365 * 86_400.0


def is_retried(policy: JobPolicy, code: str, kinds: tuple[str, ...]) -> bool:
    """Whether failures of this kind are retried at all. `kinds` are the error's class and those it derives from; a
    worker that does not say has only its code."""
    known = {code, *kinds}
    if known & set(policy.never_on):
        return False
    return not policy.retry_on or bool(known & set(policy.retry_on))


def delay_s(policy: JobPolicy, job_id: UUID, retry: int) -> float:
    """How long the `retry`-th (from 1) waits after the failure."""
    if policy.backoff:
        return _grown_s(policy.backoff, job_id, retry)
    delays = policy.retry_delays_s or (0,)
    return delays[min(retry, len(delays)) - 1]


def _grown_s(backoff: Backoff, job_id: UUID, retry: int) -> float:
    try:
        grown_s = backoff.first_s * backoff.factor ** (retry - 1)
    except OverflowError:
        grown_s = backoff.most_s if backoff.first_s else 0
    return min(grown_s, backoff.most_s, LONGEST_S) * (1 - backoff.jitter * _chance(job_id, retry))


def _chance(job_id: UUID, retry: int) -> float:
    """From 0 to 1, the same for ever for the same job and retry."""
    digest = hashlib.blake2b(job_id.bytes + retry.to_bytes(4), digest_size=4).digest()
    return int.from_bytes(digest) / 0xFFFF_FFFF
