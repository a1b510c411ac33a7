"""Commands over a real nats-server: durable, answered, done once for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace
from nats.aio.client import Client

from linstock import names
from linstock.bus.broker import make_broker
from linstock.bus.commands import BusAway, CommandSender, Pending
from linstock.bus.connection import close, connect
from linstock.bus.inbox import CommandContext, CommandInbox, NotYet, Plan
from linstock.bus.provision import provision
from linstock.embedded import EmbeddedNats
from linstock.eventlog.memory import MemoryLog
from linstock.messages.answer import Answer
from linstock.messages.library import ChangeLibrary, CreateLibrary, LibraryCommand, Settings
from linstock.messages.receipt import CommandHandled
from linstock.roots import AllowedRoots
from services.library.commands import LibraryPlanner
from tests.support.waiting import becomes

PHOTOS = CreateLibrary(settings=Settings(name="Photos", path="/nas/photos"))
ACTOR = "anna"
WS = names.DEFAULT_WORKSPACE


class Owner:
    """The library service's command side, on a log in memory that outlives it."""

    def __init__(self, url: str, log: MemoryLog, plan: object = None) -> None:
        self.broker = make_broker(url, "test-owner")
        planner = plan or LibraryPlanner(log, AllowedRoots(())).plan
        CommandInbox(self.broker, log=log, service=names.LIBRARY, commands=LibraryCommand, plan=planner)  # type: ignore[arg-type]


@asynccontextmanager
async def owner(url: str, log: MemoryLog, plan: object = None) -> AsyncIterator[None]:
    broker = Owner(url, log, plan).broker
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    await provision(nats_url)
    client = await connect(nats_url, "test")
    yield client
    await close(client)


@pytest.fixture
async def sender(client: Client) -> CommandSender:
    sender = CommandSender(client)
    await sender.start()
    return sender


async def waiting_commands(client: Client) -> int:
    return (await client.jetstream().stream_info(names.COMMANDS)).state.messages


async def test_a_command_is_answered_with_the_id_and_the_position_of_its_effect(
    nats_url: str, sender: CommandSender, client: Client
) -> None:
    log = MemoryLog(names.LIBRARY)
    async with owner(nats_url, log):
        answer = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.position) == (201, f"library:{await log.last_position()}")
        created, taken, receipt = await log.read(0)
        assert created.aggregate_id == answer.id
        assert created.actor == taken.actor == receipt.actor == ACTOR
        await becomes(lambda: waiting_commands(client), 0)


async def test_a_command_has_one_answer_and_nothing_else_on_its_reply_subject(nats_url: str, client: Client) -> None:
    """FastStream by itself would send what the handler returns to the same subject."""
    replies = await client.subscribe("answers.here")
    async with owner(nats_url, MemoryLog(names.LIBRARY)):
        for path in ("/a", "/b"):
            subject = names.command_subject(names.LIBRARY, WS, "CreateLibrary", uuid4())
            headers = {"ls-actor": ACTOR, "reply_to": "answers.here"}
            command = CreateLibrary(settings=Settings(name="A", path=path))
            await client.jetstream().publish(subject, msgspec.json.encode(command), headers=headers)
        await becomes(lambda: waiting_commands(client), 0)
        await client.flush()
    heard = [await replies.next_msg(timeout=1) for _ in range(2)]
    assert [msgspec.json.decode(message.data, type=Answer).status for message in heard] == [201, 201]
    assert replies.pending_msgs == 0


async def test_the_same_key_gives_the_first_answer_for_ever_and_the_effect_once(
    nats_url: str, sender: CommandSender
) -> None:
    log = MemoryLog(names.LIBRARY)
    async with owner(nats_url, log):
        first = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, idempotency_key="k1")
    async with owner(nats_url, log):  # another process: nothing is remembered but the log
        again = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, idempotency_key="k1")
        assert again == first
        assert len(await log.read(0)) == 3  # created, its folder taken, the receipt
        elsewhere = CreateLibrary(settings=Settings(name="Photos", path="/elsewhere"))
        other = await sender.send(names.LIBRARY, WS, elsewhere, actor="berta", idempotency_key="k1")
        assert isinstance(other, Answer)
        assert isinstance(first, Answer)
        assert (other.status, other.id != first.id) == (201, True)


async def test_twenty_at_once_under_one_key_are_one_library(nats_url: str, sender: CommandSender) -> None:
    log = MemoryLog(names.LIBRARY)
    async with owner(nats_url, log):
        answers = await asyncio.gather(
            *(sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, idempotency_key="k") for _ in range(20))
        )
        assert len({msgspec.json.encode(answer) for answer in answers}) == 1
        assert len(await log.read(0)) == 3  # created, its folder taken, the receipt


async def test_another_body_under_the_same_key_is_refused(nats_url: str, sender: CommandSender) -> None:
    async with owner(nats_url, MemoryLog(names.LIBRARY)):
        await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, idempotency_key="k1")
        other = CreateLibrary(settings=Settings(name="Other", path="/x"))
        answer = await sender.send(names.LIBRARY, WS, other, actor=ACTOR, idempotency_key="k1")
        assert isinstance(answer, Answer)
        assert (answer.status, answer.code) == (422, "idempotency-key-reused")


async def test_a_refusal_is_a_receipt_too(nats_url: str, sender: CommandSender) -> None:
    log = MemoryLog(names.LIBRARY)
    async with owner(nats_url, log):
        missing = ChangeLibrary(library_id=uuid4(), name="x")
        answer = await sender.send(names.LIBRARY, WS, missing, actor=ACTOR)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.code) == (404, "library-not-found")
        (receipt,) = await log.read(0)
        assert msgspec.json.decode(receipt.data, type=CommandHandled).outcome == "refused"


async def test_without_an_owner_the_command_waits_and_happens_later(
    nats_url: str, sender: CommandSender, client: Client
) -> None:
    log = MemoryLog(names.LIBRARY)
    pending = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, wait_s=0.05)
    assert isinstance(pending, Pending)
    assert await waiting_commands(client) == 1
    async with owner(nats_url, log):
        await becomes(lambda: waiting_commands(client), 0)
        receipt = (await log.read(0))[-1]
        assert msgspec.json.decode(receipt.data, type=CommandHandled).command_id == pending.command_id


async def test_a_command_for_what_is_not_known_yet_is_tried_again(nats_url: str, sender: CommandSender) -> None:
    log = MemoryLog(names.LIBRARY)
    planned: list[UUID] = []

    async def plan(_: LibraryCommand, context: CommandContext) -> Plan:
        planned.append(context.command_id)
        if len(planned) < 3:
            raise NotYet
        return Plan(answer=Answer(status=200))

    async with owner(nats_url, log, plan):
        answer = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR)
        assert isinstance(answer, Answer)
        assert answer.status == 200
        assert len(planned) == 3


async def test_a_plan_whose_time_has_not_come_by_the_logs_clock_is_made_again(
    nats_url: str, sender: CommandSender
) -> None:
    """Postgres's clock was set back a moment ago, and the owner's does not know it yet."""
    log = MemoryLog(names.LIBRARY)
    planner, calls = LibraryPlanner(log, AllowedRoots(())), 0

    async def ahead_at_first(command: LibraryCommand, context: CommandContext) -> Plan:
        nonlocal calls
        calls += 1
        plan = await planner.plan(command, context)
        return replace(plan, not_before=context.at + timedelta(hours=1) if calls < 3 else context.at)

    async with owner(nats_url, log, ahead_at_first):
        answer = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR)
    assert isinstance(answer, Answer)
    assert (answer.status, calls) == (201, 3)


async def test_a_handler_that_raises_keeps_the_command(nats_url: str, sender: CommandSender, client: Client) -> None:
    """FastStream's default ack policy would discard it for ever."""
    log = MemoryLog(names.LIBRARY)
    tried = asyncio.Event()

    async def plan(_: LibraryCommand, __: CommandContext) -> Plan:
        if not tried.is_set():
            tried.set()
            raise RuntimeError("Postgres is away")
        return Plan(answer=Answer(status=200))

    async with owner(nats_url, log, plan):
        answer = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, wait_s=5)
        assert tried.is_set()
        assert isinstance(answer, Answer)
        assert answer.status == 200


async def test_an_unreadable_command_goes_to_the_dlq_with_its_reason(nats_url: str, client: Client) -> None:
    js = client.jetstream()
    async with owner(nats_url, MemoryLog(names.LIBRARY)):
        subject = names.command_subject(names.LIBRARY, WS, "CreateLibrary", uuid4())
        await js.publish(subject, b'{"type":"CreateLibrary","settings":{"name":1}}', headers={"ls-actor": ACTOR})
        await becomes(lambda: waiting_commands(client), 0)
        buried = await js.get_last_msg(names.DLQ, "dlq.library-commands.unreadable")
        assert buried.headers
        assert buried.headers["ls-dlq-subject"] == subject
        assert "ValidationError" in buried.headers["ls-dlq-reason"]


async def test_nobody_is_told_yes_while_nats_is_away(nats_server: EmbeddedNats, sender: CommandSender) -> None:
    nats_server.kill()
    with pytest.raises(BusAway):
        await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR)


async def test_an_idle_owner_hears_of_commands_soon_after_nats_was_started_again(
    nats_server: EmbeddedNats, sender: CommandSender
) -> None:
    """The server forgets who waits for messages."""
    async with owner(nats_server.url, MemoryLog(names.LIBRARY)):
        await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR)
        nats_server.kill()
        nats_server.start()
        answer = await sender.send(names.LIBRARY, WS, PHOTOS, actor=ACTOR, idempotency_key="after", wait_s=6)
        assert isinstance(answer, Answer)
