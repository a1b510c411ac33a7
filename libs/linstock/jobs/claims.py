"""May I run this attempt? Claims go to a scheduler on core NATS, outcomes to REPORTS; both in batches."""

import asyncio
import contextlib
from uuid import UUID

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from linstock import names
from linstock.logs import get_logger
from linstock.messages.work import (
    MAX_REPORTS_PER_MESSAGE,
    Checkpoint,
    Claim,
    ClaimAnswer,
    ClaimAnswers,
    Outcome,
    Report,
)

logger = get_logger(__name__)


class NotAnswered(Exception):
    """No scheduler answered the claim in time. It may still be granted later; then the lease lapses by itself."""


class Reporter:
    """Sends claims and outcomes of one worker for one queue, at most 200 together. Claims that are made in one turn of
    the loop go in one message: one that is lost changes nothing, so nothing is stored for it. Outcomes that arrive
    while a message is being stored go into the next one."""

    def __init__(self, client: Client, *, worker: str, queue: str) -> None:
        self._client = client
        self._js = client.jetstream()
        self._worker = worker
        self._queue = queue
        self._reply_to = client.new_inbox()
        self._waiting: dict[UUID, asyncio.Future[ClaimAnswer]] = {}
        self._asking: dict[str, list[Claim]] = {}
        self._outbox: dict[str, list[tuple[Checkpoint | Outcome, asyncio.Future[None]]]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._client.subscribe(self._reply_to, cb=self._on_answers)

    async def claim(self, workspace: str, claim: Claim, *, every_s: float = 1.0, tries: int = 4) -> ClaimAnswer:
        """The scheduler's answer. Asked again under the same lease when it is late, which is harmless.

        Raises NotAnswered.
        """
        answer = self._waiting[claim.lease] = asyncio.get_running_loop().create_future()
        try:
            for _ in range(tries):
                self._ask(workspace, claim)
                try:
                    return await asyncio.wait_for(asyncio.shield(answer), every_s)
                except TimeoutError:
                    continue
            raise NotAnswered
        finally:
            del self._waiting[claim.lease]

    def _ask(self, workspace: str, claim: Claim) -> None:
        if not self._asking:
            asyncio.get_running_loop().call_soon(self._ask_all)
        self._asking.setdefault(workspace, []).append(claim)

    def _ask_all(self) -> None:
        asking, self._asking = self._asking, {}
        task = asyncio.create_task(self._publish_claims(asking))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish_claims(self, asking: dict[str, list[Claim]]) -> None:
        for workspace, claims in asking.items():
            subject = names.claim_subject(workspace, self._queue)
            for first in range(0, len(claims), MAX_REPORTS_PER_MESSAGE):
                some = tuple(claims[first : first + MAX_REPORTS_PER_MESSAGE])
                report = Report(worker=self._worker, items=some, reply_to=self._reply_to)
                with contextlib.suppress(nats.errors.Error, OSError):  # they are made again
                    await self._client.publish(subject, msgspec.json.encode(report), reply=self._reply_to)

    async def report(self, workspace: str, outcome: Outcome | Checkpoint) -> None:
        """Stored when it returns; tries for as long as it takes, because only the lease knows better."""
        while True:
            try:
                await self._send(workspace, outcome)
            except (TimeoutError, nats.errors.Error, APIError, OSError) as error:
                logger.warning("An outcome could not be reported yet", job_id=str(outcome.job_id), error=str(error))
                await asyncio.sleep(0.5)
            else:
                return

    async def _send(self, workspace: str, item: Checkpoint | Outcome) -> None:
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queued = self._outbox.get(workspace)
        if queued is not None:
            queued.append((item, stored))
        else:
            self._outbox[workspace] = [(item, stored)]
            task = asyncio.create_task(self._drain(workspace))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        await stored

    async def _drain(self, workspace: str) -> None:
        while queued := self._outbox[workspace]:
            batch, self._outbox[workspace] = queued[:MAX_REPORTS_PER_MESSAGE], queued[MAX_REPORTS_PER_MESSAGE:]
            report = Report(worker=self._worker, items=tuple(item for item, _ in batch))
            error: Exception | None = None
            try:
                await self._js.publish(
                    names.report_subject(workspace, self._queue),
                    msgspec.json.encode(report),
                    stream=names.REPORTS,
                    timeout=2,
                )
            except (TimeoutError, nats.errors.Error, APIError, OSError) as failure:
                error = failure
            for _, stored in batch:
                if stored.done():
                    continue
                if error:
                    stored.set_exception(error)
                else:
                    stored.set_result(None)
        del self._outbox[workspace]

    async def _on_answers(self, message: Msg) -> None:
        try:
            answers = msgspec.json.decode(message.data, type=ClaimAnswers).answers
        except msgspec.DecodeError as error:
            logger.warning("A claim's answer can't be read", error=str(error))
            return
        for answer in answers:
            waiting = self._waiting.get(answer.lease)
            if waiting and not waiting.done():
                waiting.set_result(answer)
