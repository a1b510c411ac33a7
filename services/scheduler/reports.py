"""What workers claim, keep and report, many in one message. Claims come on core NATS and are answered once they are
appended; what they keep and report comes in REPORTS, and is acked then."""

import asyncio
import contextlib
from collections.abc import Coroutine

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError

from linstock import names
from linstock.bus import dead_letters
from linstock.bus.pull import Pull, Silent
from linstock.cancellation import cancel
from linstock.messages.work import (
    MAX_REPORTS_PER_MESSAGE,
    Claim,
    ClaimAnswers,
    Report,
)
from services.scheduler.claims import Claims

logger = structlog.get_logger(__name__)

AHEAD = 256  # messages on their way
CONCURRENT = 64  # messages at once; each holds up to 200 items
WORKER_LIMIT = 200  # characters
AGAIN_S = 0.5
GROUP = "schedulers"
STOP_WITHIN_S = 4.0


class Unreadable(Exception):
    """This report can't be used."""


class Reports:
    """Several schedulers share the durable; each message goes to one of them, and to another when that one dies."""

    def __init__(self, client: Client, claims: Claims) -> None:
        self._client = client
        self._claims = claims
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._handling: set[asyncio.Task[None]] = set()
        self._mark: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._claiming = await self._client.subscribe(names.ALL_CLAIMS, queue=GROUP, cb=self._on_claims)
        self._task = asyncio.create_task(self._run(), name="reports")

    async def stop(self) -> None:
        """Finishes what is in hand, for at most 4 s; the rest comes again."""
        if self._task:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._claiming.unsubscribe()
            await cancel(self._task)
            self._task = None
            if self._handling:
                await asyncio.wait(self._handling, timeout=STOP_WITHIN_S)

    async def drained(self) -> bool:
        """Whether all that stood in REPORTS when this was first asked, and all events to react to, were handled or are
        being handled. Answers False while JetStream does not."""
        js = self._client.jetstream()
        try:
            if self._mark is None:
                self._mark = (await js.stream_info(names.REPORTS)).state.last_seq
            reports = await js.consumer_info(names.REPORTS, names.REPORTS_DURABLE)
            events = await js.consumer_info(names.EVENTS, names.reaction_durable(names.SCHEDULER))
        except (nats.errors.Error, APIError, TimeoutError, OSError):
            return False
        floor = reports.ack_floor.stream_seq if reports.ack_floor else 0
        empty = not reports.num_pending and not reports.num_ack_pending
        if (floor >= self._mark or empty) and not events.num_pending:
            self._mark = None
            return True
        return False

    async def _run(self) -> None:
        while True:
            try:
                await self._consume()
            except (Silent, nats.errors.Error, OSError) as error:
                logger.warning("Reports can't be fetched", error=str(error) or type(error).__name__)
                await asyncio.sleep(AGAIN_S)

    async def _consume(self) -> None:
        pull = Pull(self._client, stream=names.REPORTS, consumer=names.REPORTS_DURABLE, ahead=AHEAD)
        try:
            await pull.open()
            while True:
                for message in await pull.take(AHEAD):
                    await self._begin(self._handle(message))
        finally:
            await pull.close()

    async def _begin(self, handling: Coroutine[None, None, None]) -> None:
        await self._slots.acquire()
        task = asyncio.create_task(handling)
        self._handling.add(task)
        task.add_done_callback(self._handled)

    async def _on_claims(self, message: Msg) -> None:
        await self._begin(self._answer(message))

    async def _answer(self, message: Msg) -> None:
        """What goes wrong here is not answered: the worker asks again."""
        try:
            report = _read(message.data)
        except Unreadable as error:
            logger.warning("Claims can't be read", subject=message.subject, error=str(error))
            return
        if report.reply_to and (claims := [item for item in report.items if isinstance(item, Claim)]):
            answers = await self._claims.take(claims, report.worker)
            await self._client.publish(report.reply_to, msgspec.json.encode(ClaimAnswers(answers=tuple(answers))))

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()):
            logger.warning("A report was not handled, it will come again", error=repr(error))

    async def _handle(self, message: Msg) -> None:
        try:
            report = _read(message.data)
        except Unreadable as error:
            await self._bury(message, str(error))
            return
        try:
            answers = await self._claims.take(report.items, report.worker)
        except Exception as error:  # Postgres or its clock is away: the whole report again, which is harmless
            logger.warning("A report could not be settled yet", worker=report.worker, error=repr(error))
            await message.nak(delay=AGAIN_S)
            return
        if answers and report.reply_to:  # workers of an earlier version ask here, not on ALL_CLAIMS
            await self._client.publish(report.reply_to, msgspec.json.encode(ClaimAnswers(answers=tuple(answers))))
        await message.ack()

    async def _bury(self, message: Msg, reason: str) -> None:
        """Stored in DLQ first, terminated then."""
        logger.error("A report can't be read, it goes to the DLQ", subject=message.subject, reason=reason)
        await self._client.jetstream().publish(
            names.dlq_subject(names.REPORTS_DURABLE, dead_letters.UNREADABLE),
            message.data,
            stream=names.DLQ,
            headers=dead_letters.headers_for(message.subject, dict(message.headers or {}), reason),
            timeout=5,
        )
        await message.term()


def _read(data: bytes) -> Report:
    try:
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if len(report.items) > MAX_REPORTS_PER_MESSAGE:
        raise Unreadable(f"{len(report.items)} items; at most {MAX_REPORTS_PER_MESSAGE} go in one message")
    if not 0 < len(report.worker) <= WORKER_LIMIT:
        raise Unreadable(f"a worker's name has 1 to {WORKER_LIMIT} characters")
    if report.reply_to is not None and not _is_inbox(report.reply_to):
        raise Unreadable("reply_to is not an inbox")
    return report


def _is_inbox(subject: str) -> bool:
    """An answer must not be steered onto a subject that means something."""
    return subject.startswith("_INBOX") and len(subject) <= WORKER_LIMIT and not set(subject) & set("*> \t\r\n")
