"""An API on a real NATS and Postgres, with read models made by the projection from recorded events."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus import command_headers
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.messages.answer import Answer
from linstock.probes import Vitals
from linstock.settings import Settings
from services.api.app import ApiService
from services.library.app import LibraryService
from services.projection.follower import Follower
from services.scheduler.app import SchedulerService
from tests.support.recorded import publish
from tests.support.story import Story
from tests.support.waiting import becomes

Reply = Callable[[str, bytes], Answer | None]


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    await provision(nats_url)
    client = await connect(nats_url, "test")
    yield client
    await close(client)


@pytest.fixture
async def follower(database_url: str, nats_url: str, client: Client) -> AsyncIterator[Follower]:
    follower = Follower(database_url, nats_url)
    await follower.start()
    await becomes(lambda: follower.problem, None)
    yield follower
    await follower.stop()


@pytest.fixture
async def api(database_url: str, nats_url: str, follower: Follower) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(service="api", database_url=database_url, nats_url=nats_url, port=0)
    service = ApiService(settings)
    try:
        await service.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=20) as http:
            yield http
    finally:
        await service.stop()


@pytest.fixture
async def owners(database_url: str, nats_url: str, api: httpx.AsyncClient) -> AsyncIterator[None]:
    """The real services that own libraries and schedules."""
    services = [
        kind(Settings(service=name, database_url=database_url, nats_url=nats_url), Vitals(name))
        for name, kind in ((names.LIBRARY, LibraryService), (names.SCHEDULER, SchedulerService))
    ]
    for service in services:
        await service.start()
    yield
    for service in reversed(services):
        await service.stop()


@pytest.fixture
def story() -> Story:
    return Story()


class World:
    """What has happened so far, as the read models will show it."""

    def __init__(self, client: Client, api: httpx.AsyncClient) -> None:
        self._client = client
        self._api = api

    async def tell(self, story: Story) -> dict[str, str]:
        """Returns the header that makes a GET wait for all of it."""
        await publish(self._client, story.news())
        vector = ",".join(f"{log.name}:{log.position}" for log in story.logs() if log.deliveries)
        return {"Linstock-Position": vector}


@pytest.fixture
def world(client: Client, api: httpx.AsyncClient) -> World:
    return World(client, api)


class Owner:
    """Plays the service that owns a command: answers as it is told, or keeps silent."""

    def __init__(self, client: Client, service: str) -> None:
        self._client = client
        self._service = service
        self._task: asyncio.Task[None] | None = None
        self.commands: list[tuple[str, dict[str, object]]] = []
        self.keys: list[str | None] = []
        self.actors: list[tuple[str, str]] = []
        """Each with its workspace."""
        self.reply: Reply = lambda command, body: None

    async def start(self) -> None:
        js = self._client.jetstream()
        pull = await js.pull_subscribe_bind(durable=names.command_durable(self._service), stream=names.COMMANDS)
        self._task = asyncio.create_task(self._own(pull))

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _own(self, pull: "object") -> None:
        while True:
            try:
                messages = await pull.fetch(1, timeout=30)  # type: ignore[attr-defined]
            except TimeoutError:
                continue
            for message in messages:
                headers = message.headers or {}
                _, _, workspace, command, _ = message.subject.split(".")
                self.commands.append((command, msgspec.json.decode(message.data)))
                self.keys.append(headers.get(command_headers.IDEMPOTENCY_KEY))
                self.actors.append((headers[command_headers.ACTOR], workspace))
                answer = self.reply(command, message.data)
                if answer is not None:
                    await self._client.publish(headers[command_headers.REPLY_TO], msgspec.json.encode(answer))
                    await message.ack()


@pytest.fixture
async def library_owner(client: Client) -> AsyncIterator[Owner]:
    owner = Owner(client, names.LIBRARY)
    await owner.start()
    yield owner
    await owner.stop()


@pytest.fixture
async def scheduler_owner(client: Client) -> AsyncIterator[Owner]:
    owner = Owner(client, names.SCHEDULER)
    await owner.start()
    yield owner
    await owner.stop()


@pytest.fixture
async def scanner_owner(client: Client) -> AsyncIterator[Owner]:
    owner = Owner(client, names.SCANNER)
    await owner.start()
    yield owner
    await owner.stop()
