"""Each owner of a log says in it what may be forgotten, once, as soon as it runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from linstock import names
from linstock.bus.provision import provision
from linstock.eventlog.postgres import PostgresLog
from linstock.lifecycle import Service
from linstock.messages.retention import RetentionApplied
from linstock.probes import Vitals
from linstock.settings import Settings
from services.library import app as library
from services.scanner import app as scanner
from services.scheduler import app as scheduler
from tests.support.diary import notes, origin
from tests.support.waiting import becomes

Build = Callable[[Settings, Vitals], Service]

DAYS = 30


@pytest.mark.parametrize(
    ("name", "build"),
    [(names.LIBRARY, library.build), (names.SCHEDULER, scheduler.build), (names.SCANNER, scanner.build)],
)
async def test_an_old_log_is_told_the_policy_once(name: str, build: Build, database_url: str, nats_url: str) -> None:
    await provision(nats_url)
    log = await PostgresLog.open(name, database_url)
    await log.append([notes(uuid4(), "old")], msgspec.structs.replace(origin(), at=datetime.now(UTC) - timedelta(100)))
    settings = Settings(service=name, database_url=database_url, nats_url=nats_url, retention_days=DAYS)
    services = [build(settings, Vitals(name)) for _ in range(2)]
    for service in services:
        await service.start()
    try:
        await becomes(lambda: policies(log), [DAYS])
    finally:
        for service in services:
            await service.stop()
    assert await policies(log) == [DAYS]
    await log.close()


async def policies(log: PostgresLog) -> list[int]:
    said = [
        msgspec.json.decode(each.data, type=RetentionApplied) for each in await log.load(names.retention_of(log.name))
    ]
    assert all(datetime.now(UTC) - each.before >= timedelta(DAYS) for each in said)
    return [each.days for each in said]
