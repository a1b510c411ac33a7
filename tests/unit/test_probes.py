import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from linstock import probes
from linstock.probes import ProbeServer, Vitals


@pytest.fixture
async def vitals() -> Vitals:
    return Vitals("library")


@pytest.fixture
async def server(vitals: Vitals) -> AsyncIterator[ProbeServer]:
    server = ProbeServer(vitals, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()


async def ask(server: ProbeServer, path: str, method: str = "GET") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split(" ")[1]), body


async def well() -> None:
    return


async def unwell() -> str:
    return "the stream is gone"


async def broken() -> str:
    raise ConnectionError("refused")


async def test_live_before_it_is_ready(server: ProbeServer, vitals: Vitals) -> None:
    vitals.not_started("OSError: away")
    assert (await ask(server, "/livez"))[0] == 200
    status, body = await ask(server, "/readyz")
    assert status == 503
    assert json.loads(body)["reasons"] == {"lifecycle": "starting: OSError: away"}


async def test_ready_names_the_checks_that_are_not(server: ProbeServer, vitals: Vitals) -> None:
    vitals.started()
    vitals.check("postgres", well)
    assert await ask(server, "/readyz") == (200, '{"service": "library", "ready": true, "reasons": {}}')
    vitals.check("relay", unwell)
    vitals.check("nats", broken)
    status, body = await ask(server, "/readyz")
    assert status == 503
    assert json.loads(body)["reasons"] == {"relay": "the stream is gone", "nats": "refused"}


async def test_a_check_that_hangs_is_unwell(vitals: Vitals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CHECK_TIMEOUT_S", 0.01)
    vitals.started()
    never = asyncio.Event()

    async def hang() -> None:
        await never.wait()

    vitals.check("nats", hang)
    assert list(await vitals.unready()) == ["nats"]


async def test_a_stopping_service_is_not_ready(vitals: Vitals) -> None:
    vitals.started()
    vitals.stopping()
    assert await vitals.unready() == {"lifecycle": "stopping"}


async def test_metrics_are_those_of_the_process(server: ProbeServer) -> None:
    status, body = await ask(server, "/metrics")
    assert status == 200
    assert "process_resident_memory_bytes" in body


async def test_other_paths_and_methods_are_refused(server: ProbeServer) -> None:
    assert (await ask(server, "/"))[0] == 404
    assert (await ask(server, "/livez", "POST"))[0] == 405


async def test_a_caller_that_sends_rubbish_harms_nobody(server: ProbeServer) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(b"x" * (probes.MAX_REQUEST_BYTES * 2))
    writer.close()
    assert (await ask(server, "/livez"))[0] == 200


async def test_a_reason_says_for_how_long_it_was_seen() -> None:
    now = [100.0]
    vitals = Vitals("library", monotonic=lambda: now[0])
    vitals.started()
    reasons: list[str | None] = ["PostgreSQL does not answer"]

    async def look() -> str | None:
        return reasons[-1]

    vitals.check("database", look)
    assert await vitals.unready() == {"database": "PostgreSQL does not answer"}
    now[0] = 112.2
    assert await vitals.unready() == {"database": "PostgreSQL does not answer, for 12 s now"}
    reasons.append(None)
    assert await vitals.unready() == {}
    reasons.append("NATS does not answer")
    assert await vitals.unready() == {"database": "NATS does not answer"}
