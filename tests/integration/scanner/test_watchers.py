"""Who watches which library, and that what changes there becomes hints: real servers, real inotify."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.bus.commands import CommandSender
from linstock.bus.connection import close, connect
from linstock.bus.provision import provision
from linstock.eventlog.record import Recorded
from linstock.messages.hints import HintPaths
from linstock.messages.library import LibraryCreated, LibraryDeleted, LibraryEvent, LibrarySettingsChanged, Settings
from linstock.messages.watching import INOTIFY, Watching
from linstock.roots import EVERYWHERE
from services.scanner.folders import Pool
from services.scanner.watching import watchers as watching
from services.scanner.watching.roster import Roster
from services.scanner.watching.watcher import Pace
from services.scanner.watching.watchers import ACTOR, Watchers
from tests.integration.scanner.conftest import LIBRARY, Scanner
from tests.support.waiting import becomes

QUICK = Pace(quiet_s=0.2, between_s=0.1, tick_s=0.05)


class Ears:
    """Hears hints and how libraries are watched."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.hints: list[tuple[str, str]] = []
        self.modes: list[str] = []

    async def start(self) -> None:
        await self.client.subscribe(names.commands_to(names.SCHEDULER), cb=self._hint)
        await self.client.subscribe(names.ALL_WATCHING, cb=self._mode)

    async def _hint(self, message: Any) -> None:
        hint = msgspec.json.decode(message.data, type=HintPaths)
        self.hints += [(message.headers["ls-actor"], path.path) for path in hint.paths]

    async def _mode(self, message: Any) -> None:
        self.modes.append(msgspec.json.decode(message.data, type=Watching).mode)


@pytest.fixture
async def ears(nats_url: str) -> AsyncIterator[Ears]:
    await provision(nats_url)
    client = await connect(nats_url, "ears")
    listening = Ears(client)
    await listening.start()
    yield listening
    await close(client)


@pytest.fixture
async def replicas(
    ears: Ears, scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Watchers, Watchers]]:
    monkeypatch.setattr(watching, "EVERY_S", 0.1)
    made = []
    for _ in range(2):
        sender = CommandSender(ears.client)
        await sender.start()
        made.append(Watchers(Roster(scanner.pool), sender, ears.client.publish, roots=EVERYWHERE, pace=QUICK))
    yield made[0], made[1]
    for each in made:
        await each.stop()


async def tell(pool: Pool, event: LibraryEvent, version: int) -> None:
    recorded = Recorded(
        log=names.LIBRARY,
        position=version,
        event_id=uuid4(),
        type=str(event.__struct_config__.tag),
        time=datetime.now(UTC),
        workspace=names.DEFAULT_WORKSPACE,
        aggregate="library",
        aggregate_id=LIBRARY,
        version=version,
        actor="test",
        correlation_id=uuid4(),
        causation_id=None,
        traceparent=None,
        data=msgspec.Raw(msgspec.json.encode(event)),
    )
    await Roster(pool).react(recorded)


def settings(root: Path, *, watch: bool = True) -> Settings:
    return Settings(name="Photos", path=os.fspath(root), watch=watch)


def watched(replica: Watchers) -> set[UUID]:
    return set(replica._watching)


async def test_one_of_two_replicas_watches_and_the_other_takes_over(
    ears: Ears, replicas: tuple[Watchers, Watchers], scanner: Scanner, photos: Path
) -> None:
    first, second = replicas
    await tell(scanner.pool, LibraryCreated(library_id=LIBRARY, settings=settings(photos)), 1)
    await first.start()
    await becomes(lambda: watched(first), {LIBRARY})
    await second.start()
    await becomes(lambda: INOTIFY in ears.modes, expected=True)
    (photos / "1.jpg").write_bytes(b"1")
    await becomes(lambda: ears.hints, [(ACTOR, "1.jpg")])
    assert watched(second) == set()
    await first.stop()
    await becomes(lambda: watched(second), {LIBRARY})
    [(_, watcher)] = second._watching.values()
    await becomes(lambda: watcher.status.mode, INOTIFY)
    (photos / "2.jpg").write_bytes(b"2")
    await becomes(lambda: ears.hints, [(ACTOR, "1.jpg"), (ACTOR, "2.jpg")])


async def test_what_is_not_to_be_watched_any_more_is_not(
    replicas: tuple[Watchers, Watchers], scanner: Scanner, photos: Path
) -> None:
    replica, _ = replicas
    await replica.start()
    await tell(scanner.pool, LibraryCreated(library_id=LIBRARY, settings=settings(photos)), 1)
    await becomes(lambda: watched(replica), {LIBRARY})
    off = LibrarySettingsChanged(library_id=LIBRARY, settings=settings(photos, watch=False))
    await tell(scanner.pool, off, 2)
    await becomes(lambda: watched(replica), set())
    await tell(scanner.pool, LibrarySettingsChanged(library_id=LIBRARY, settings=settings(photos)), 4)
    await tell(scanner.pool, off, 3)  # late
    await becomes(lambda: watched(replica), {LIBRARY})
    await tell(scanner.pool, LibraryDeleted(library_id=LIBRARY), 5)
    await becomes(lambda: watched(replica), set())
