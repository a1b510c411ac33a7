"""`Client`: asks for jobs and says what became of them, over NATS alone.

What it asks for is stored before a call returns, and done once, however often a call under the same idempotency key is
repeated. What it says comes from the read models: a call sees at least what this client has asked for before.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

import msgspec
import nats.errors
from msgspec import Struct
from msgspec.structs import replace
from nats.aio.client import Client as Connection

from linstock import names, tracing
from linstock.bus.commands import BusAway, CommandSender, Pending
from linstock.bus.connection import close, connect_once
from linstock.jobs import address
from linstock.jobs.definition import Job, Seconds, seconds
from linstock.messages.answer import Answer
from linstock.messages.asked import LONGEST_WAIT_S, MOST_ASKED, JobsAsked, JobsTold, JobTold
from linstock.messages.enqueue import COMMAND_LIMIT_BYTES, MOST_JOBS, EnqueueJobs, WantedJob
from linstock.messages.job import After, CancelRun, RetryRun
from linstock.messages.message import Message
from linstock.statuses import COMPLETED, ENDED

ANSWERED_WITHIN_S = 5.0
TOLD_WITHIN_S = 5.0
AT_ONCE = 4  # commands of a bulk on their way
ACTOR = "app"


class Unreachable(ConnectionError):
    """Linstock could not be reached in time. What was asked for may have been stored: ask again under the same
    idempotency key."""


class NotAccepted(Exception):
    """Linstock refuses: `code` is stable, the text says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.field}: {answer.detail}" if answer.field else answer.detail)
        self.code, self.status, self.field = answer.code, answer.status, answer.field


class UnknownJob(LookupError):
    """There is no such job here."""


class NotCompleted(Exception):
    """The job has ended without a result: `status` says how, the text why."""

    def __init__(self, told: JobTold) -> None:
        super().__init__(f"job {told.job_id}: {told.status}: {told.message or told.code or 'no reason was given'}")
        self.job_id, self.status, self.code, self.message = told.job_id, told.status, told.code, told.message


class Handle:
    """A job that was asked for. `duplicate`: it was there already, under the same unique key."""

    def __init__(self, client: "Client", job_id: UUID, *, duplicate: bool = False) -> None:
        self._client = client
        self.id = job_id
        self.duplicate = duplicate

    def __repr__(self) -> str:
        return f"<job {self.id}>"

    async def status(self) -> JobTold:
        return await self._client.status(self)

    async def wait(self, timeout: Seconds = 60) -> JobTold:
        """See Client.wait."""
        return await self._client.wait(self, timeout)

    async def result(self, kind: Any = Any, timeout: Seconds = 60) -> Any:
        """See Client.result."""
        return await self._client.result(self, kind, timeout)

    async def cancel(self, reason: str = "") -> None:
        await self._client.cancel(self, reason)


Which = Handle | UUID


class Client:
    """One connection, for one workspace. Use it as a context manager, or call `connect` and `close`.

    `nats_url` is by default LINSTOCK_NATS_URL, else that of the Linstock that runs on `data_dir` (LINSTOCK_DATA_DIR,
    else .linstock) of this machine. Every method raises Unreachable, and NotAccepted when Linstock refuses.
    """

    def __init__(
        self,
        nats_url: str | None = None,
        *,
        workspace: str = names.DEFAULT_WORKSPACE,
        data_dir: Path | None = None,
    ) -> None:
        self._nats_url = nats_url
        self._data_dir = data_dir
        self._workspace = workspace
        self._connection: Connection | None = None
        self._sender: CommandSender | None = None
        self._position = 0

    async def __aenter__(self) -> "Client":
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Raises Unreachable when the server is away now; later the connection comes back by itself."""
        if self._connection is not None:
            return
        url = self._nats_url or address.nats_url(self._data_dir)
        try:
            self._connection = await connect_once(url, "linstock-client")
        except nats.errors.Error as error:
            raise Unreachable(f"{Unreachable.__doc__} {address.named(url)}: {error}") from error
        self._sender = CommandSender(self._connection)
        await self._sender.start()

    async def close(self) -> None:
        connection, self._connection, self._sender = self._connection, None, None
        if connection is not None:
            await close(connection)

    async def enqueue(self, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        """To be run as soon as a worker is free. Options go by `job.using(…)`; a JobContext is not passed.

        Raises BadParameters and PayloadTooLarge before anything is sent.
        """
        return await self._one(job.wanted(args, kwargs))

    async def delay(self, by: Seconds, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        """As `enqueue`, but not before so many seconds have passed on Linstock's clock."""
        return await self._one(replace(job.wanted(args, kwargs), delay_s=seconds(by)))

    async def at(self, when: datetime, job: Job[..., Any], *args: Any, **kwargs: Any) -> Handle:
        """As `enqueue`, but not before `when` (aware); at once when that has passed."""
        if when.tzinfo is None:
            raise ValueError("`when` needs a time zone")
        return await self._one(replace(job.wanted(args, kwargs), not_before=when.astimezone(UTC)))

    async def continue_with(
        self, parents: Which | Sequence[Which], job: Job[..., Any], *args: Any, on: str = "success", **kwargs: Any
    ) -> Handle:
        """As `enqueue`, but only once all `parents` have ended as `on` says: success | failure | either. When one ends
        otherwise, this job is cancelled."""
        given = [parents] if isinstance(parents, Handle | UUID) else parents
        after = tuple(After(job_id=_id(each), on=on) for each in given)
        return await self._one(replace(job.wanted(args, kwargs), after=after))

    async def enqueue_many(
        self,
        job: Job[..., Any],
        parameters: Iterable[Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,
    ) -> list[Handle]:
        """One job for each, in their order. They are stored 500 at a time, all or none of each 500: after an error, ask
        again under the same `idempotency_key` with the same parameters, and none is doubled."""
        wanted = [job.wanted((), each) for each in parameters]
        return await self.enqueue_wanted(wanted, idempotency_key=idempotency_key)

    async def enqueue_wanted(self, wanted: Sequence[WantedJob], *, idempotency_key: str | None = None) -> list[Handle]:
        """As `enqueue_many`, for jobs of several types (`job.wanted(args, kwargs)`)."""
        key = idempotency_key or str(uuid4())
        slots = asyncio.Semaphore(AT_ONCE)

        async def some(number: int, part: Sequence[WantedJob]) -> list[Handle]:
            async with slots:
                return await self._several(part, f"{key}.{number}" if number else key)

        parts = [some(number, part) for number, part in enumerate(_parts(wanted))]
        return [handle for part in await asyncio.gather(*parts) for handle in part]

    async def cancel(self, job: Which, reason: str = "") -> None:
        """Nothing happens to one that is cancelled already; another that has ended is refused (`job-closed`)."""
        await self._send(CancelRun(job_id=_id(job), reason=reason), str(uuid4()))

    async def retry(self, job: Which) -> Handle:
        """Does the work of one that has failed, timed out or was cancelled again, as a job of its own: asked twice, it
        is the same job. Refused for others (`not-failed`)."""
        answer = await self._send(RetryRun(job_id=_id(job)), str(uuid4()))
        assert answer.id
        return Handle(self, answer.id)

    async def status(self, job: Which) -> JobTold:
        """Raises UnknownJob."""
        found = await self._ask([_id(job)], 0)
        if not found:
            raise UnknownJob(f"{UnknownJob.__doc__} {_id(job)}")
        return found[0]

    async def wait(self, job: Which, timeout: Seconds = 60) -> JobTold:
        """How it stands when it has ended. Raises TimeoutError when it has not by then, and UnknownJob."""
        [found] = await self.wait_for_all([job], timeout)
        return found

    async def wait_for_all(self, jobs: Sequence[Which], timeout: Seconds = 60) -> list[JobTold]:
        """As `wait`, for many: in their order, when all have ended."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds(timeout)
        open_ids, ended = [_id(each) for each in jobs], dict[UUID, JobTold]()
        while open_ids:
            left = until - loop.time()
            if left < 0:
                raise TimeoutError(f"{len(open_ids)} of {len(jobs)} jobs have not ended within {seconds(timeout):g} s")
            some = open_ids[:MOST_ASKED]
            found = await self._ask(some, min(left, LONGEST_WAIT_S))
            if unknown := set(some) - {told.job_id for told in found}:
                raise UnknownJob(f"{UnknownJob.__doc__} {next(iter(unknown))}")
            ended.update({told.job_id: told for told in found if told.status in ENDED})
            open_ids = [each for each in open_ids if each not in ended]
        return [ended[_id(each)] for each in jobs]

    async def result(self, job: Which, kind: Any = Any, timeout: Seconds = 60) -> Any:
        """What it returned, decoded as `kind`. Raises NotCompleted when it ended otherwise, and as `wait` does."""
        told = await self.wait(job, timeout)
        if told.status != COMPLETED:
            raise NotCompleted(told)
        return msgspec.json.decode(told.result, type=kind)

    async def _one(self, wanted: WantedJob) -> Handle:
        [handle] = await self._several([wanted], str(uuid4()))
        return handle

    async def _several(self, wanted: Sequence[WantedJob], key: str) -> list[Handle]:
        answer = await self._send(EnqueueJobs(jobs=tuple(wanted)), key)
        command_id = names.command_of(names.SCHEDULER, self._workspace, ACTOR, key)
        taken = {each.place: each.job_id for each in answer.duplicates}
        return [
            Handle(self, taken.get(place) or names.job_of_command(command_id, place), duplicate=place in taken)
            for place in range(len(wanted))
        ]

    async def _send(self, command: Message, key: str) -> Answer:
        sender = self._sender
        if sender is None:
            raise Unreachable("The client is not connected: use `async with Client() as client`, or `connect`.")
        with tracing.span(f"send {type(command).__name__}"):
            outgoing: dict[str, str] = {}
            tracing.inject(outgoing)
            try:
                answer = await sender.send(
                    names.SCHEDULER,
                    self._workspace,
                    command,
                    actor=ACTOR,
                    idempotency_key=key,
                    traceparent=outgoing.get(tracing.HEADER),
                    wait_s=ANSWERED_WITHIN_S,
                )
            except BusAway as error:
                raise Unreachable(f"{Unreachable.__doc__} Key: {key}") from error
        if isinstance(answer, Pending):
            raise Unreachable(
                f"The scheduler has not answered within {ANSWERED_WITHIN_S:g} s. It will be done. Key: {key}"
            )
        if answer.status >= 400:
            raise NotAccepted(answer)
        if answer.position:
            self._position = max(self._position, int(answer.position.rpartition(":")[2]))
        return answer

    async def _ask(self, ids: Sequence[UUID], wait_s: float) -> tuple[JobTold, ...]:
        if self._connection is None:
            raise Unreachable("The client is not connected: use `async with Client() as client`, or `connect`.")
        position = f"{names.SCHEDULER}:{self._position}" if self._position else None
        asked = JobsAsked(ids=tuple(ids), wait_s=wait_s, position=position)
        try:
            message = await self._connection.request(
                names.asked_subject(self._workspace), msgspec.json.encode(asked), timeout=wait_s + TOLD_WITHIN_S
            )
            told = msgspec.json.decode(message.data, type=JobsTold)
        except (nats.errors.Error, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise Unreachable(f"Nobody could say how jobs stand: {str(error) or type(error).__name__}") from error
        if told.problem:
            raise Unreachable(f"Nobody can say how jobs stand: {told.problem}")
        return told.jobs


class _Part(Struct):
    jobs: list[WantedJob]
    size_bytes: int


def _parts(wanted: Sequence[WantedJob]) -> list[list[WantedJob]]:
    """As many in each as a command may have."""
    parts: list[_Part] = []
    for each in wanted:
        size_bytes = len(bytes(each.payload)) + 600
        last = parts[-1] if parts else None
        if last is None or len(last.jobs) == MOST_JOBS or last.size_bytes + size_bytes > COMMAND_LIMIT_BYTES:
            parts.append(last := _Part([], 0))
        last.jobs.append(each)
        last.size_bytes += size_bytes
    return [part.jobs for part in parts]


def _id(job: Which) -> UUID:
    return job.id if isinstance(job, Handle) else job
