"""A command's round trip: sent by one process, decided, appended and answered by another, as in production."""

import asyncio
import time

from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.messages.answer import Answer
from linstock.messages.library import CreateLibrary, Settings
from tests.bench.figure import Figure, percentile
from tests.bench.servers import Servers, ready_service

COMMANDS = 200
PAUSE_S = 0.02


async def round_trip(servers: Servers, *, repetitions: int, allowance_ms: float) -> list[Figure]:
    """Milliseconds from `send` to the answer, one command at a time, p99 of 200: 50 a second, and without a pause
    (then each command also waits for what the one before it still has relayed and acked). The reference is a bare
    core-NATS request and reply plus one durable publish: what the bus alone costs."""
    await provision(servers.nats_url)
    with ready_service(names.LIBRARY, servers):
        client = await connect(servers.nats_url, "bench")
        sender = CommandSender(client)
        await sender.start()
        await client.subscribe("bench.echo", cb=_echo)
        await _send(sender, 20, "warm")
        samples, unpaused, bare = [], [], []
        for repetition in range(1, repetitions + 1):
            samples.append(percentile(await _send(sender, COMMANDS, f"paused {repetition}", pause_s=PAUSE_S), 0.99))
            unpaused.append(percentile(await _send(sender, COMMANDS, f"unpaused {repetition}"), 0.99))
            bare.append(percentile(await _bare(client, COMMANDS), 0.99))
        await close(client)
    return [
        Figure(
            name="command round trip p99",
            unit="ms",
            samples=samples,
            at_most=10 + allowance_ms,
            reference="durable publish + echo p99",
            reference_samples=bare,
        ),
        Figure(name="command round trip without a pause p99", unit="ms", samples=unpaused),
    ]


async def _echo(message: Msg) -> None:
    await message.respond(message.data)


async def _send(sender: CommandSender, count: int, folder: str, *, pause_s: float = 0) -> list[float]:
    """Each folder is one library's: name another `folder` each time."""
    spent = []
    for index in range(count):
        settings = Settings(name=f"Bench {folder} {index}", path=f"/bench/{folder}/{index}")
        began = time.perf_counter()
        answer = await sender.send(names.LIBRARY, names.DEFAULT_WORKSPACE, CreateLibrary(settings=settings), actor="b")
        spent.append((time.perf_counter() - began) * 1000)
        assert isinstance(answer, Answer)
        assert answer.status == 201, answer
        await asyncio.sleep(pause_s)
    return spent


async def _bare(client: Client, count: int) -> list[float]:
    js, spent = client.jetstream(), []
    for index in range(count):
        began = time.perf_counter()
        await js.publish(names.dlq_subject("bench", "bare"), b"x" * 300, stream=names.DLQ)
        await client.request("bench.echo", str(index).encode())
        spent.append((time.perf_counter() - began) * 1000)
    return spent
