"""FastStream's default ack policy. Postgres is away when a command arrives, so its handler raises."""

from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from nats.aio.client import Client

from linstock import names
from linstock.bus.broker import _whole, make_broker
from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect
from linstock.bus.inbox import CommandContext, CommandInbox, Plan
from linstock.eventlog.postgres import PostgresLog
from linstock.messages.library import CreateLibrary, LibraryCommand, Settings
from linstock.roots import AllowedRoots
from services.library.commands import LibraryPlanner
from tests.faults.controls.place import Place, wrong
from tests.support.waiting import becomes

COMMAND = CreateLibrary(settings=Settings(name="Photos", path="/photos"))


class LeavesAcksToFastStream(CommandInbox[LibraryCommand]):
    """As a FastStream handler is usually written: an error is the framework's business."""

    async def _on_message(self, message: NatsMessage) -> None:
        headers, body = message.headers or {}, message.raw_message.data
        command, context = self._read(body, message.raw_message.subject, headers)
        await self._reply(headers, await self._answer(command, context, headers, body))


async def scenario(place: Place, sabotaged: bool) -> str:
    log = await PostgresLog.open(names.LIBRARY, place.database_url)
    client = await connect(place.nats_url, "control")
    broker = _default_broker(place.nats_url) if sabotaged else make_broker(place.nats_url, "control-owner")
    kind = LeavesAcksToFastStream if sabotaged else CommandInbox[LibraryCommand]
    planner, away = LibraryPlanner(log, AllowedRoots(())), [True]

    async def plan(command: LibraryCommand, context: CommandContext) -> Plan:
        if away.pop() if away else False:
            raise ConnectionError("Postgres is away")
        return await planner.plan(command, context)

    kind(broker, log=log, service=names.LIBRARY, commands=LibraryCommand, plan=plan)
    sender = CommandSender(client)
    try:
        await sender.start()
        await broker.start()
        await sender.send(names.LIBRARY, names.DEFAULT_WORKSPACE, COMMAND, actor="control", wait_s=0.1)
        await becomes(lambda: _commands(client), 0)
        receipts = [event for event in await log.read(0) if event.aggregate == "command"]
        return wrong(acknowledged_and_lost=1 - len(receipts), still_away=len(away))
    finally:
        await broker.stop()
        await log.close()
        await close(client)


def _default_broker(nats_url: str) -> NatsBroker:
    return NatsBroker(nats_url, decoder=_whole, apply_types=False, graceful_timeout=4, logger=None)


async def _commands(client: Client) -> int:
    return (await client.jetstream().stream_info(names.COMMANDS)).state.messages
