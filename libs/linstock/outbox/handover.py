"""Hands rows to Linstock, each as a command of its own: one that is refused takes no other along."""

import asyncio
import re
from collections.abc import Sequence
from enum import Enum

import msgspec
from msgspec import Struct

from linstock import names
from linstock.bus.commands import BusAway, CommandSender, Pending
from linstock.jobs.client import ACTOR
from linstock.messages.enqueue import COMMAND_LIMIT_BYTES, EnqueueJobs, WantedJob
from linstock.outage import plain
from linstock.outbox.rows import Row

AT_ONCE = 128
"""Commands on their way."""
ANSWERED_WITHIN_S = 5.0
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_WANTED = msgspec.json.Decoder(WantedJob)


class Fate(Enum):
    DONE = "Linstock has made the job, or had before"
    REFUSED = "Linstock does not want it, and never will"
    UNANSWERED = "the command is stored, the scheduler has not answered"
    AWAY = "the command could not be stored, or nobody knows"
    LEFT = "not begun: others before it have had no answer"


class Handed(Struct, frozen=True):
    """`code` and `reason` say why a row is refused; `reason` also why it could not be stored."""

    row: Row
    fate: Fate
    code: str = ""
    reason: str = ""


class Handover:
    """Does not raise: what happens to each row is in what it returns."""

    def __init__(self, sender: CommandSender, *, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
        self._sender = sender
        self._answered_within_s = answered_within_s

    async def hand(self, rows: Sequence[Row]) -> list[Handed]:
        """Begins with no more once one has had no answer: Linstock is likely away, and the rest would wait for it in
        turns."""
        slots = asyncio.Semaphore(AT_ONCE)
        waits_in_vain = False

        async def one(row: Row) -> Handed:
            nonlocal waits_in_vain
            async with slots:
                handed = Handed(row, Fate.LEFT) if waits_in_vain else _unfit(row) or await self._send(row)
            waits_in_vain |= handed.fate in (Fate.UNANSWERED, Fate.AWAY)
            return handed

        return await asyncio.gather(*(one(row) for row in rows))

    async def _send(self, row: Row) -> Handed:
        # As it was written, not decoded and encoded: a later version of ours would encode it otherwise, and under the
        # same key that is another command.
        command = EnqueueJobs(jobs=(msgspec.Raw(row.wanted),))  # type: ignore[arg-type]
        try:
            answer = await self._sender.send(
                names.SCHEDULER,
                row.workspace,
                command,
                actor=ACTOR,
                idempotency_key=str(row.id),
                wait_s=self._answered_within_s,
            )
        except BusAway as error:
            return Handed(row, Fate.AWAY, reason=plain(error.__cause__ or error))
        if isinstance(answer, Pending) or answer.status >= 500:
            return Handed(row, Fate.UNANSWERED)
        if answer.status >= 400:
            reason = f"{answer.field}: {answer.detail}" if answer.field else answer.detail
            return Handed(row, Fate.REFUSED, answer.code, reason)
        return Handed(row, Fate.DONE)


def _unfit(row: Row) -> Handed | None:
    """What no scheduler would ever see, or would take for damage: rows may be written by anybody."""
    if not _WORKSPACE.fullmatch(row.workspace):
        return Handed(row, Fate.REFUSED, "invalid", f"workspace: {row.workspace!r} is none")
    if len(row.wanted) > COMMAND_LIMIT_BYTES:
        detail = f"It has {len(row.wanted)} bytes, at most {COMMAND_LIMIT_BYTES // 1024} KiB fit into a command."
        return Handed(row, Fate.REFUSED, "too-large", detail)
    try:
        _WANTED.decode(row.wanted)
    except msgspec.DecodeError as error:
        return Handed(row, Fate.REFUSED, "malformed-command", f"wanted: {error}")
    return None
