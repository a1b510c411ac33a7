"""Claims ignored. The same order stands on WORK twice, and a worker that asks nobody takes each."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import msgspec
from nats.aio.client import Client

from linstock import names
from linstock.bus.connection import close, connect
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.jobs.order_runner import OrderRunner
from linstock.jobs.orders import Lease, Order, OwnVerdict
from linstock.messages.job import JobRequested
from linstock.messages.work import Claim, ClaimAnswer
from services.scheduler.claims import Claims
from services.scheduler.clock import ClockReader, PostgresClock
from services.scheduler.index import Index
from services.scheduler.reports import Reports
from services.scheduler.verdicts import Verdicts
from tests.faults.controls.place import Place, wrong
from tests.support.scheduler import origin
from tests.support.schedules import job_requested
from tests.support.waiting import becomes


class AsksNobody(OrderRunner):
    """Grants itself whatever it finds."""

    async def start(self) -> None:
        await super().start()

        async def granted(_workspace: str, claim: Claim) -> ClaimAnswer:
            return ClaimAnswer(job_id=claim.job_id, attempt=claim.attempt, lease=claim.lease, granted=True)

        self._reporter.claim = granted  # type: ignore[method-assign,assignment]


class Runs:
    """What was run, how often. A run lasts until `over`, so that it is still on when the second order is taken."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[UUID, int]] = Counter()
        self.over = asyncio.Event()

    async def run(self, order: Order, _: Lease) -> OwnVerdict:
        self.counted[order.request.job_id, order.attempt] += 1
        await self.over.wait()
        return OwnVerdict()


async def scenario(place: Place, sabotaged: bool) -> str:
    log = await PostgresLog.open(names.SCHEDULER, place.database_url)
    client = await connect(place.nats_url, "control")
    reader = ClockReader(place.database_url)
    clock = PostgresClock(reader.read)
    index = Index()
    reports = Reports(client, Claims(Verdicts(log, index), clock, index))
    runs, kind = Runs(), AsksNobody if sabotaged else OrderRunner
    workers = [kind(place.nats_url, queues=(names.SCAN_QUEUE,), slots=1, run=runs.run) for _ in range(2)]
    try:
        await clock.start()
        await reports.start()
        await _put_twice(client, await _request(log))
        for worker in workers:
            await worker.start()
        await becomes(lambda: _orders(client), 0)
        runs.over.set()
        return wrong(never_run=int(not runs.counted), run_twice=sum(count > 1 for count in runs.counted.values()))
    finally:
        runs.over.set()
        for worker in workers:
            await worker.stop()
        await reports.stop()
        await clock.stop()
        await reader.close()
        await log.close()
        await close(client)


async def _request(log: PostgresLog) -> JobRequested:
    request = job_requested(queue=names.SCAN_QUEUE)
    append = Append(aggregate="job", aggregate_id=request.job_id, expected_version=0, events=[request])
    await log.append([append], origin())
    return request


async def _put_twice(client: Client, request: JobRequested) -> None:
    for _ in range(2):
        headers = {"ce-id": str(uuid4()), "ce-workspace": names.DEFAULT_WORKSPACE, "ls-attempt": "1"}
        subject = names.work_subject(names.DEFAULT_WORKSPACE, names.SCAN_QUEUE, request.job_type)
        await client.jetstream().publish(subject, msgspec.json.encode(request), stream=names.WORK, headers=headers)


async def _orders(client: Client) -> int:
    """On WORK, waiting or in somebody's hands."""
    return (await client.jetstream().stream_info(names.WORK)).state.messages
