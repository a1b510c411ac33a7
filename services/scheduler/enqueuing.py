"""From jobs that an application wants to what is appended: one request each, and the keys they have to themselves."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Raw, Struct

from linstock import names
from linstock.bus.inbox import CommandContext, Plan, Refused
from linstock.eventlog.decider import Aggregate, Loaded
from linstock.eventlog.log import EventLog
from linstock.messages.answer import Answer, Duplicate
from linstock.messages.enqueue import MOST_JOBS, PAYLOAD_LIMIT_BYTES, EnqueueJobs, WantedJob
from linstock.messages.job import BUILT_IN, JobRequested
from linstock.messages.message import Message
from linstock.messages.schedule import JobPolicy
from linstock.messages.unique import KeyTaken, UniqueEvent
from services.scheduler.following import Wanted, settled
from services.scheduler.index import Index
from services.scheduler.job import Closed, Unrequested
from services.scheduler.known import JOB, KnownJob
from services.scheduler.limits import LONGEST_TIMEOUT_S, NAME_LIMIT, PRIORITIES, invalid
from services.scheduler.queues import QUEUE_NAME

API = "API"
TYPE_LIMIT = 100  # characters
TYPE_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
KEY_LIMIT = 200  # characters
LONGEST_DELAY = timedelta(days=3660)
MOST_RETRIES = 1000
MOST_DELAYS = 100
MOST_PARENTS = 100
MOST_CLASSES = 50
OUTCOMES = ("success", "failure", "either")
EXHAUSTED = ("fail", "dead", "hide")


class Holder(Message, frozen=True):
    """Who has a key."""

    job_id: UUID
    until: datetime | None


def _evolve(_: Holder | None, event: UniqueEvent) -> Holder | None:
    return Holder(job_id=event.job_id, until=event.until)


KEYS: Aggregate[Holder | None, UniqueEvent] = Aggregate(
    "unique", initial=lambda: None, evolve=_evolve, events=UniqueEvent, state=Holder | None
)


class _Key(Struct):
    """A key while a command is planned: `taken` is what it appends to it."""

    loaded: Loaded[Holder | None, UniqueEvent]
    taken: list[UniqueEvent]


class EnqueuePlanner:
    """All jobs of a command, or none. Whoever takes one of its keys meanwhile makes the insert fail, and it is planned
    again."""

    def __init__(self, log: EventLog, index: Index) -> None:
        self._log = log
        self._index = index

    async def plan(self, command: EnqueueJobs, context: CommandContext) -> Plan:
        """Raises Refused."""
        if not 0 < len(command.jobs) <= MOST_JOBS:
            raise invalid("jobs", f"there are 1 to {MOST_JOBS}")
        ids = [names.job_of_command(context.command_id, place) for place in range(len(command.jobs))]
        await self._check_parents(command.jobs, set(ids), context.workspace)
        wanted_ones: list[Wanted] = []
        duplicates: list[Duplicate] = []
        holders: dict[UUID, UUID] = {}
        keys: dict[str, _Key] = {}
        for place, (job_id, wanted) in enumerate(zip(ids, command.jobs, strict=True)):
            _check(wanted, f"jobs/{place}")
            if wanted.unique and (holder := await self._holder(wanted, job_id, keys, context)):
                duplicates.append(Duplicate(place=place, job_id=holder))
                holders[job_id] = holder
            else:
                wanted_ones.append((place, job_id, wanted))
        appends = [
            JOB.unborn(job_id).append([_request(job_id, wanted, context.at)])
            for _, job_id, wanted in settled(wanted_ones, holders)
        ]
        appends += [key.loaded.append(key.taken) for key in keys.values() if key.taken]
        first = duplicates[0].job_id if duplicates and duplicates[0].place == 0 else ids[0]
        return Plan(answer=Answer(status=202, id=first, duplicates=tuple(duplicates)), appends=appends)

    async def _holder(
        self, wanted: WantedJob, job_id: UUID, keys: dict[str, _Key], context: CommandContext
    ) -> UUID | None:
        """Who has the job's key already; None: it has it now."""
        assert wanted.unique
        name = wanted.unique.key
        if name not in keys:
            keys[name] = _Key(await KEYS.load(self._log, names.unique_of(context.workspace, name)), [])
        key = keys[name]
        holder = key.loaded.after(key.taken).state
        if holder and (key.taken or await self._holds(holder, context.at)):
            return holder.job_id
        period_s = wanted.unique.period_s
        until = None if period_s is None else context.at + timedelta(seconds=period_s)
        key.taken.append(KeyTaken(key=name, job_id=job_id, at=context.at, until=until))
        return None

    async def _holds(self, holder: Holder, at: datetime) -> bool:
        if holder.until is not None:
            return at < holder.until
        if holder.job_id in self._index.jobs:
            # It may have ended, as the caller may have read.
            await self._index.reached(await self._log.last_position(), timeout_s=0.5)
            return holder.job_id in self._index.jobs
        known = await KnownJob.load(self._log, holder.job_id)
        return known is not None and not isinstance(known.state, Closed)

    async def _check_parents(self, jobs: Sequence[WantedJob], own: set[UUID], workspace: str) -> None:
        wanted = {each.job_id: place for place, job in enumerate(jobs) for each in job.after}
        unknown = [job_id for job_id in wanted if job_id not in own and job_id not in self._index.jobs]
        found = await self._log.first_of(unknown) if unknown else {}
        for job_id in unknown:
            if job_id not in found or found[job_id].aggregate != JOB.name or found[job_id].workspace != workspace:
                raise invalid(f"jobs/{wanted[job_id]}/after", f"there is no job {job_id}")
        for job_id, place in wanted.items():
            known = self._index.jobs.get(job_id)
            if known and (known.workspace != workspace or isinstance(known.state, Unrequested)):
                raise invalid(f"jobs/{place}/after", f"there is no job {job_id}")


def again(job_id: UUID, request: JobRequested, context: CommandContext) -> JobRequested:
    """The same work, as a job of its own that waits for nothing."""
    return JobRequested(
        job_id=job_id,
        job_type=request.job_type,
        queue=request.queue,
        payload=Raw(bytes(request.payload)),
        policy=request.policy,
        requested_at=context.at,
        triggered_by=API,
        library_id=request.library_id,
        name=request.name,
        payload_version=request.payload_version,
        retry_of=request.job_id,
    )


def _request(job_id: UUID, wanted: WantedJob, at: datetime) -> JobRequested:
    due = at + timedelta(seconds=wanted.delay_s) if wanted.delay_s else None
    if wanted.not_before:
        due = max(due, wanted.not_before) if due else wanted.not_before
    return JobRequested(
        job_id=job_id,
        job_type=wanted.job_type,
        queue=wanted.queue,
        payload=wanted.payload,
        policy=wanted.policy,
        requested_at=at,
        triggered_by=API,
        not_before=due,
        name=wanted.name,
        payload_version=wanted.payload_version,
        after=wanted.after,
        unique_key=wanted.unique.key if wanted.unique else "",
    )


def _check(wanted: WantedJob, at: str) -> None:
    """Raises Refused (422, or 413 for a payload)."""
    if len(wanted.job_type) > TYPE_LIMIT or not TYPE_NAME.fullmatch(wanted.job_type):
        raise invalid(
            f"{at}/jobType", f"it is words of letters, digits, - and _ with . between them, at most {TYPE_LIMIT}"
        )
    if wanted.job_type in BUILT_IN:
        raise invalid(f"{at}/jobType", f"{wanted.job_type} is built in")
    if not QUEUE_NAME.fullmatch(wanted.queue) or wanted.queue in names.BUILT_IN_QUEUES:
        raise invalid(f"{at}/queue", "it is lower-case letters, digits, - and _, at most 63, and no built-in one")
    if len(bytes(wanted.payload)) > PAYLOAD_LIMIT_BYTES:
        detail = f"The parameters of a job have at most {PAYLOAD_LIMIT_BYTES // 1024} KiB; store them and pass a name."
        raise Refused(413, "payload-too-large", detail, field=f"{at}/payload")
    if len(wanted.name) > NAME_LIMIT:
        raise invalid(f"{at}/name", f"it has at most {NAME_LIMIT} characters")
    if not 0 <= wanted.delay_s <= LONGEST_DELAY.total_seconds():
        raise invalid(f"{at}/delayS", f"it is 0 to {LONGEST_DELAY.days} days")
    if len(wanted.after) > MOST_PARENTS or any(each.on not in OUTCOMES for each in wanted.after):
        raise invalid(f"{at}/after", f"there are at most {MOST_PARENTS}, each on {', '.join(OUTCOMES)}")
    _check_unique(wanted, at)
    _check_policy(wanted.policy, f"{at}/policy")


def _check_unique(wanted: WantedJob, at: str) -> None:
    if wanted.unique is None:
        return
    if not 0 < len(wanted.unique.key) <= KEY_LIMIT:
        raise invalid(f"{at}/unique/key", f"it has 1 to {KEY_LIMIT} characters")
    period_s = wanted.unique.period_s
    if period_s is not None and not 0 < period_s <= LONGEST_DELAY.total_seconds():
        raise invalid(f"{at}/unique/periodS", f"it is more than 0 and at most {LONGEST_DELAY.days} days")


def _check_policy(policy: JobPolicy, at: str) -> None:
    if policy.priority not in PRIORITIES:
        raise invalid(f"{at}/priority", "it is 1 to 10")
    if not 1 <= policy.timeout_s <= LONGEST_TIMEOUT_S:
        raise invalid(f"{at}/timeoutS", f"it is 1 to {LONGEST_TIMEOUT_S}")
    if not 0 <= policy.max_retries <= MOST_RETRIES:
        raise invalid(f"{at}/maxRetries", f"it is 0 to {MOST_RETRIES}")
    longest = LONGEST_DELAY.total_seconds()
    if len(policy.retry_delays_s) > MOST_DELAYS or not all(0 <= each <= longest for each in policy.retry_delays_s):
        raise invalid(f"{at}/retryDelaysS", f"there are at most {MOST_DELAYS}, none negative")
    if max(len(policy.retry_on), len(policy.never_on)) > MOST_CLASSES:
        raise invalid(f"{at}/retryOn", f"there are at most {MOST_CLASSES} classes")
    if policy.exhausted not in EXHAUSTED:
        raise invalid(f"{at}/exhausted", f"it is {', '.join(EXHAUSTED)}")
    backoff = policy.backoff
    if backoff and not (0 <= backoff.first_s <= longest and 1 <= backoff.factor <= 100 and 0 <= backoff.jitter <= 1):
        raise invalid(f"{at}/backoff", "firstS is not negative, factor 1 to 100, jitter 0 to 1")
    if backoff and not 0 <= backoff.most_s <= longest:
        raise invalid(f"{at}/backoff", "mostS is not negative")
