"""kill -9 of schedulers, three of them, while a dozen schedules recur within seconds. One has a clock a day ahead."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from linstock import names
from linstock.bus.provision import provision
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.record import Append
from linstock.eventlog.recorder import TABLE
from linstock.jobs.order_runner import OrderRunner
from linstock.jobs.orders import Lease, Order
from linstock.messages.rules import Rules
from linstock.messages.schedule import TickFired, TicksSkipped
from tests.bench.servers import Servers
from tests.faults import oracles
from tests.faults.history import History, decoded, read_history
from tests.faults.replicas import Replica, running, victims
from tests.faults.report import Count, print_table, progress
from tests.faults.system import NotReady
from tests.support.scheduler import origin
from tests.support.schedules import defined
from tests.support.servers import fresh_database, running_nats, running_postgres

DAY_S = 86_400.0
WRONG_BY_S = (0.0, 0.0, DAY_S)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 1.8
TELL_EVERY = 20
SETTLED_WITHIN_S = 30.0
LONGEST_JOB_S = 2.0
LOOK_EVERY_S = 0.2
LONGEST_GAP_S = 20.0


class Recurring(Struct, frozen=True):
    cron: str
    period_s: int
    rules: Rules

    @property
    def library_id(self) -> UUID:
        return UUID(int=1 + SCHEDULES.index(self))

    @property
    def schedule_id(self) -> UUID:
        return names.schedule_of(self.library_id)


SCHEDULES = [
    Recurring(cron, period_s, Rules(misfire=misfire, overlap=overlap))
    for (cron, period_s), policies in {
        ("* * * * * *", 1): (("fire_once", "skip"), ("fire_all", "buffer_one"), ("skip", "terminate_other")),
        ("*/2 * * * * *", 2): (("fire_once", "cancel_other"), ("fire_all", "skip"), ("skip", "buffer_all")),
        ("*/5 * * * * *", 5): (("fire_once", "buffer_one"), ("fire_all", "terminate_other"), ("skip", "skip")),
        ("@every 3s", 3): (("fire_once", "terminate_other"), ("fire_all", "buffer_all"), ("skip", "skip")),
    }.items()
    for misfire, overlap in policies
]


async def run(home: Path, *, seed: int, kills: int) -> bool:
    with (
        running_postgres(home / "postgres") as postgres,
        fresh_database(postgres) as database_url,
        running_nats(home / "nats") as nats,
    ):
        servers = Servers(nats.url, database_url, home)
        await provision(nats.url)
        await _define(database_url)
        async with _worker(servers, seed):
            with running(servers, WRONG_BY_S) as replicas:
                until = await _kill(replicas, servers, seed, kills)
                unready = await _said(replicas)
        history = await read_history(nats_url=nats.url, database_url=database_url, logs=(names.SCHEDULER,))
        appended = await _appended(database_url)
        killed = Counter({f"scheduler {each.number}": each.kills for each in replicas})
        return print_table(f"Schedulers, seed {seed}", [
            Count("kills", killed.total(), kills, at_least=True),
            *(Count(f"  {name}", count) for name, count in sorted(killed.items())),
            *unready,
            *counts(history, until, appended),
        ])  # fmt: skip


async def _kill(replicas: list[Replica], servers: Servers, seed: int, kills: int) -> datetime:
    """Returns Postgres's time once all has come to rest again: what was due until then is decided."""
    chance, began, told = random.Random(seed), time.monotonic(), 0
    for each in replicas:
        await each.ready()
    while (killed := sum(each.kills for each in replicas)) < kills:
        if killed >= told + TELL_EVERY:
            told = killed
            progress(f"{killed}/{kills} kills in {time.monotonic() - began:.0f} s")
        hit = victims(replicas, chance)
        if chance.random() < 0.7:  # else in the middle of its start, if it was killed a moment ago
            for each in hit:
                await each.ready()
        for each in hit:
            each.kill()
        for each in hit:
            each.start()
        await asyncio.sleep(chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S))
    for each in replicas:
        await each.ready()
    return await _decided_until(servers)


async def _decided_until(servers: Servers) -> datetime:
    log = await PostgresLog.open(names.SCHEDULER, servers.database_url)
    connection = await asyncpg.connect(servers.database_url)
    try:
        now: datetime = await connection.fetchval("SELECT clock_timestamp()")
        last, position = dict[UUID, datetime](), 0
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while len(last) < len(SCHEDULES) or min(last.values()) < now:
            if time.monotonic() > deadline:
                raise NotReady(f"schedules that do not tick: {[str(each) for each, at in last.items() if at < now]}")
            for record in await log.read(position):
                position = record.position
                match decoded(record):
                    case TickFired(instant=instant) | TicksSkipped(last=instant):
                        last[record.aggregate_id] = instant
                    case _:
                        pass
            await asyncio.sleep(LOOK_EVERY_S / 100)
        return now
    finally:
        await connection.close()
        await log.close()


async def _said(replicas: list[Replica]) -> list[Count]:
    """Only the one whose clock is wrong may say that something is; see `ready`."""
    found = {each.number: await each.unready() for each in replicas}
    wrong = [each.number for each in replicas if each.wrong_by_s]
    others = sum(bool(reasons) for number, reasons in found.items() if number not in wrong)
    said = sum("clock" in found[number] for number in wrong)
    return [
        Count("replicas that are not ready, and their clock is right", others, 0),
        Count("  whose clock is a day ahead, and they say so", said, len(wrong)),
    ]


def counts(history: History, until: datetime, appended: dict[int, datetime]) -> list[Count]:
    """`appended` says by Postgres's clock when each position was."""
    found = {
        each: oracles.ticks(history, each.schedule_id, period=timedelta(seconds=each.period_s), until=until)
        for each in SCHEDULES
    }
    jobs = oracles.jobs(history)
    verdicts, skipped = Counter[str](), Counter[str]()
    for each in found.values():
        verdicts += each.verdicts
        skipped += each.skipped
    ahead_s = earliness_s(history, appended)
    pause_s = max(each.longest_pause_s for of, each in found.items() if of.period_s == 1)
    return [
        Count(f"ticks fired {_split(verdicts)}", verdicts.total(), 1, at_least=True),
        Count(f"  skipped, and why {_split(skipped)}", skipped.total()),
        Count("  missing", sum(each.missing for each in found.values()), 0),
        Count("  doubled", sum(each.doubled for each in found.values()), 0),
        Count("  doubled in EVENTS", doubled_in_events(history), 0),
        Count("  early by the deciding replica's or NATS's clock", sum(each.early for each in found.values()), 0),
        Count("  early by Postgres's clock when it was appended", sum(each > 0 for each in ahead_s), 0),
        Count("    the earliest of them after its instant, ms", -1000 * max(ahead_s, default=0.0)),
        Count("  skipped without a reason that holds", sum(each.unexplained for each in found.values()), 0),
        Count("  longest time without a verdict of a schedule of every second, s", pause_s),
        Count(f"    longer than {LONGEST_GAP_S:.0f} s", int(pause_s > LONGEST_GAP_S), 0),
        Count("jobs requested", jobs.requested, 1, at_least=True),
        Count("  requested twice", jobs.doubled, 0),
        Count("  fired but never requested", jobs.orphan_ticks, 0),
    ]


def doubled_in_events(history: History) -> int:
    fired = Counter(
        (event.schedule_id, event.instant)
        for each in history.stream
        if isinstance(event := decoded(each.delivered.recorded), TickFired)
    )
    return sum(count - 1 for count in fired.values())


def earliness_s(history: History, appended: dict[int, datetime]) -> list[float]:
    """By how much each verdict was there before the instant; less than 0: after it."""
    found = []
    for record in history.log[names.SCHEDULER]:
        match decoded(record):
            case TickFired(instant=instant) | TicksSkipped(last=instant):
                found.append((instant - appended[record.position]).total_seconds())
            case _:
                pass
    return found


async def _define(database_url: str) -> None:
    log = await PostgresLog.open(names.SCHEDULER, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        # Postgres's own word on when it was, whatever the replica believed.
        await connection.execute(
            f"ALTER TABLE {names.SCHEDULER}.{TABLE} ADD COLUMN appended_at timestamptz DEFAULT clock_timestamp()"
        )
        for each in SCHEDULES:
            event = defined(library_id=each.library_id, cron=each.cron, cursor=datetime.now(UTC))
            append = Append(
                aggregate="schedule", aggregate_id=each.schedule_id, expected_version=0,
                events=[replace(event, rules=each.rules)],
            )  # fmt: skip
            await log.append([append], origin())
    finally:
        await connection.close()
        await log.close()


async def _appended(database_url: str) -> dict[int, datetime]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(f"SELECT notification_id, appended_at FROM {names.SCHEDULER}.{TABLE}")
        return {row["notification_id"]: row["appended_at"] for row in rows}
    finally:
        await connection.close()


@asynccontextmanager
async def _worker(servers: Servers, seed: int) -> AsyncIterator[None]:
    """Does nothing for a while, for each job."""
    chance = random.Random(seed + 1)

    async def work(_: Order, lease: Lease) -> msgspec.Raw:
        try:
            async with asyncio.timeout(chance.uniform(0, LONGEST_JOB_S)):
                await lease.lost.wait()
        except TimeoutError:
            pass
        return msgspec.Raw(b"{}")

    worker = OrderRunner(servers.nats_url, queues=(names.SCAN_QUEUE,), slots=len(SCHEDULES), run=work)
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


def _split(counter: Counter[str]) -> str:
    return "(" + ", ".join(f"{word} {count}" for word, count in sorted(counter.items())) + ")"
