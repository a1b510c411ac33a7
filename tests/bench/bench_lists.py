"""How long lists take with a long history: 100,000 collections and 1,000,000 runs, and then a year of a schedule that
fires every 2 s besides (3.9 million kept runs of 15.8 million).

Fifty clients that never pause measure nothing but the CPU of the one API process: their latency is 50 / throughput.
So there are two figures. Paced: fifty clients that each ask twice a second, measured from when they were to ask; this
has the target. Unpaced: what the process can do at all; the latency then has no target. Beside both stands `GET /`
under the same load, which touches no database.
"""

import asyncio
import time
from contextlib import ExitStack
from typing import Any
from urllib.request import urlopen

import msgspec

from linstock import names
from linstock.bus.provision import provision
from services.projection.schema import Connection
from tests.bench import history, load
from tests.bench.figure import Figure, percentile
from tests.bench.history import Place
from tests.bench.load import Asked, Spent
from tests.bench.servers import Servers, free_port, ready_service

PER_CLIENT_S = 2
PACED_S = 10.0
UNPACED_S = 5.0
POSTS_PER_S = 20
POSTING_S = 10.0
LIBRARY = '{"name":"Bench {n}","path":"/bench/{n}"}'


async def lists(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """See above. The services run as processes of their own, and so do the clients."""
    await provision(servers.nats_url)
    connection = await history.prepare(servers.database_url)
    try:
        return await _measure(servers, connection, repetitions, allowance_ms)
    finally:
        await connection.close()


async def _measure(servers: Servers, connection: Connection, repetitions: int, allowance_ms: float) -> list[Figure]:
    places = await history.lists(connection)
    figures = await _lists(servers, connection, places[3], "1 M runs", repetitions, allowance_ms)
    figures += await asyncio.to_thread(_posts, servers, repetitions, allowance_ms)
    place = await history.year(connection)
    return figures + await _lists(servers, connection, place, "every 2 s for a year", repetitions, allowance_ms)


async def _lists(
    servers: Servers, connection: Connection, place: Place, data: str, repetitions: int, allowance_ms: float
) -> list[Figure]:
    port = free_port()
    with ready_service(names.API, servers, LINSTOCK_PORT=str(port)):
        paths = await asyncio.to_thread(_paths, port, place)
        await asyncio.to_thread(_ask, port, paths, PER_CLIENT_S)  # every connection has prepared every statement
        paced, unpaced, rates, bare, bare_rates, slowest = [], [], [], [], [], []
        for _ in range(repetitions):
            spent = await asyncio.to_thread(_ask, port, paths, PER_CLIENT_S)
            paced.append(_p99(spent))
            slowest.append(_slowest(spent))
            bare.append(_p99(await asyncio.to_thread(_ask, port, ["/"], PER_CLIENT_S)))
            spent = await asyncio.to_thread(_ask, port, paths, 0)
            unpaced.append(_p99(spent))
            rates.append(len(spent) / UNPACED_S)
            bare_rates.append(len(await asyncio.to_thread(_ask, port, ["/"], 0)) / UNPACED_S)
    query = [await _query_ms(connection, place) for _ in range(repetitions)]
    what = f"GET lists, {data}"
    return [
        Figure(name=f"{what}: p99, 50 clients at 2/s", unit="ms", samples=paced, at_most=30 + allowance_ms,
               reference="GET / p99", reference_samples=bare),
        Figure(name=f"{what}: p99 of the slowest path", unit="ms", samples=slowest,
               reference="a page of runs by asyncpg alone p99", reference_samples=query),
        Figure(name=f"{what}: unpaced", unit="requests/s", samples=rates,
               reference="GET /", reference_samples=bare_rates),
        Figure(name=f"{what}: unpaced p99", unit="ms", samples=unpaced),
    ]  # fmt: skip


def _posts(servers: Servers, repetitions: int, allowance_ms: float) -> list[Figure]:
    port, p99s, bare = free_port(), [], []
    with ExitStack() as running:
        for name in (names.LIBRARY, names.SCHEDULER, names.PROJECTION):
            running.enter_context(ready_service(name, servers))
        running.enter_context(ready_service(names.API, servers, LINSTOCK_PORT=str(port)))
        for repetition in range(-1, repetitions):
            body = LIBRARY.replace("{n}", f"{repetition}.{{n}}")
            asked = Asked(port=port, paths=["/api/v1/libraries"], seconds=POSTING_S, clients=4,
                          per_client_s=POSTS_PER_S / 4, body=body)  # fmt: skip
            spent = load.run(asked)
            assert {answer.status for answer in spent} == {201}, {answer.status for answer in spent}
            if repetition >= 0:
                p99s.append(_p99(spent))
                bare.append(_p99(_ask(port, ["/"], PER_CLIENT_S)))
    return [
        Figure(name="POST library p99, 20/s, until it is shown", unit="ms", samples=p99s, at_most=25 + allowance_ms,
               reference="GET / p99", reference_samples=bare)
    ]  # fmt: skip


def _ask(port: int, paths: list[str], per_client_s: float) -> list[Spent]:
    seconds = PACED_S if per_client_s else UNPACED_S
    spent = load.run(Asked(port=port, paths=paths, seconds=seconds, per_client_s=per_client_s))
    wrong = {(answer.path, answer.status) for answer in spent if answer.status != 200}
    assert not wrong, wrong
    return spent


def _p99(spent: list[Spent]) -> float:
    return percentile([answer.ms for answer in spent], 0.99)


def _slowest(spent: list[Spent]) -> float:
    """Over what a path's requests took, whatever their parameters."""
    by_path: dict[str, list[float]] = {}
    for answer in spent:
        by_path.setdefault(answer.path.partition("?")[0], []).append(answer.ms)
    return max(percentile(each, 0.99) for each in by_path.values())


def _paths(port: int, place: Place) -> list[str]:
    """Every list: its first, middle and last page, its filters, its orders."""
    library, schedule = place.library_id, place.schedule_id
    lists = (
        "/api/v1/runs",
        f"/api/v1/runs?libraryId={library}&status=Failed",
        "/api/v1/runs?status=Timeout",
        "/api/v1/runs?status=Completed",
        "/api/v1/runs?triggeredBy=Manual",
        "/api/v1/schedules/runs/recent",
        f"/api/v1/schedules/{schedule}/runs",
        f"/api/v1/schedules/{schedule}/runs?status=Failed",
        f"/api/v1/libraries/{library}/scans",
        "/api/v1/collections",
        "/api/v1/collections?sort=-bytes",
        "/api/v1/collections?sort=name&kind=archive",
        f"/api/v1/collections?libraryId={library}",
        "/api/v1/collections?text=trip%20abc",
        "/api/v1/libraries",
        "/api/v1/libraries?sort=-createdAt&text=lib",
        "/api/v1/schedules",
        "/api/v1/schedules/active",
        "/api/v1/statistics",
        f"/api/v1/libraries/{library}/statistics",
    )
    return [path for each in lists for path in _pages(port, each)]


def _pages(port: int, path: str) -> list[str]:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        page: dict[str, Any] = msgspec.json.decode(answer.read())
    if page.get("totalPages", 1) < 3 or "recent" in path:
        return [path]
    sign = "&" if "?" in path else "?"
    last = page["totalPages"]
    return [path, *(f"{path}{sign}page={number}" for number in (last // 2, last))]


async def _query_ms(connection: Connection, place: Place) -> float:
    """p99 of the rows of a page in the middle, without HTTP, DTOs or JSON."""
    query = (
        "SELECT * FROM jobs WHERE schedule_id = $1 AND schedule_ordinal < $2 ORDER BY schedule_ordinal DESC LIMIT 20"
    )
    last = await connection.fetchval("SELECT max(schedule_ordinal) FROM jobs WHERE schedule_id = $1", place.schedule_id)
    spent = []
    for number in range(200):
        began = time.perf_counter()
        await connection.fetch(query, place.schedule_id, last - number * last // 1000)
        spent.append((time.perf_counter() - began) * 1000)
    return percentile(spent, 0.99)
