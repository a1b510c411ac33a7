"""The real scanner with a real log, and the real read models beside it. Blocks: a model is told step by step."""

import asyncio
import os
from base64 import b64decode
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import Struct

from linstock import names
from linstock.bus.envelope import Delivered
from linstock.bus.inbox import CommandContext
from linstock.eventlog.postgres import PostgresLog
from linstock.jobs.orders import Order
from linstock.messages.answer import Answer
from linstock.messages.job import ScanRequested
from linstock.messages.scan import ChangesPreviewed, ScanCompleted, ScanEvent, ScanFailed
from linstock.messages.schedule import JobPolicy, ScanPath, ScanTarget
from services.api.dto.wire import Page
from services.api.paging import LARGEST_SIZE, Window
from services.api.queries import collections, files
from services.projection import schema
from services.projection.apply import apply
from services.projection.views.files import HeldFile, name_of
from services.scanner.app import open_pool
from services.scanner.commands import Command, Planner
from services.scanner.folders import Pool
from services.scanner.index import Index
from services.scanner.journal import Journal
from services.scanner.opened import OpenedArchives
from services.scanner.runner import Runner
from services.scanner.scan import SCAN
from tests.integration.scanner.conftest import lease, origin_of
from tests.model.catalogue import Key
from tests.model.wishes import Wishes

READ_AT_ONCE = 500
_FILES: msgspec.json.Decoder[list[HeldFile]] = msgspec.json.Decoder(list[HeldFile])

T = TypeVar("T")


class Shown(Struct, frozen=True):
    """A collection in the read models. `files`: size, time, and whether it is missing, by name."""

    state: str
    images: int
    size_bytes: int
    files: dict[str, tuple[int, int, bool]]


class World:
    """One for many libraries. `file_system_of` says where a scan's root is, each time it is asked."""

    def __init__(self, database_url: str) -> None:
        self._loop = asyncio.Runner()
        self._executor = ThreadPoolExecutor(2)
        self._applied = 0
        self.file_system_of: Callable[[], str] = lambda: ""
        self._do(self._open(database_url))

    async def _open(self, database_url: str) -> None:
        self._log = await PostgresLog.open(names.SCANNER, database_url)
        self._epoch = await self._log.epoch()
        self._pool: Pool = await open_pool(database_url, names.SCANNER)
        self._views = await schema.connect(database_url)
        await schema.prepare(self._views)
        self._api: Pool = await asyncpg.create_pool(
            database_url, min_size=1, max_size=2, server_settings={"search_path": schema.VIEWS}
        )
        index = Index(self._pool)
        self._runner = Runner(
            self._log,
            index,
            OpenedArchives(self._pool),
            Journal(self._pool),
            executor=self._executor,
            publish=_nobody_listens,
            file_system_of=lambda _root: self.file_system_of(),
        )
        self._index = index
        self._planner = Planner(self._log, index)

    def close(self) -> None:
        self._do(self._close())
        self._loop.close()
        self._executor.shutdown()

    async def _close(self) -> None:
        await self._api.close()
        await self._views.close()
        await self._pool.close()
        await self._log.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def scan(
        self, library_id: UUID, root: Path, wishes: Wishes, mode: str, paths: list[str], *, dry_run: bool
    ) -> tuple[UUID, ScanCompleted | ScanFailed, list[ChangesPreviewed]]:
        order = _order(library_id, root, wishes, mode, paths, dry_run=dry_run)
        return self._do(self._scan(order))

    async def _scan(self, order: Order) -> tuple[UUID, ScanCompleted | ScanFailed, list[ChangesPreviewed]]:
        await self._runner.run(order, lease())
        scan_id = order.request.job_id
        events: list[ScanEvent] = [SCAN.decode(recorded.data) for recorded in await self._log.load(scan_id)]
        await self._follow()
        *told, verdict = events
        assert isinstance(verdict, ScanCompleted | ScanFailed), verdict
        return scan_id, verdict, [each for each in told if isinstance(each, ChangesPreviewed)]

    def tell(self, command: Command) -> Answer:
        """Raises Refused."""
        return self._do(self._tell(command))

    async def _tell(self, command: Command) -> Answer:
        workspace = names.DEFAULT_WORKSPACE
        context = CommandContext(command_id=uuid4(), workspace=workspace, actor="eva", at=datetime.now(UTC))
        plan = await self._planner.plan(command, context)
        await self._log.append(plan.appends, origin_of(context))
        await self._follow()
        return plan.answer

    async def _follow(self) -> None:
        """The read models, up to the log's end."""
        while events := await self._log.read(self._applied, limit=READ_AT_ONCE):
            deliveries: list[Delivered] = []
            for recorded in events:
                deliveries.append(Delivered(recorded=recorded, previous=self._applied, epoch=self._epoch))
                self._applied = recorded.position
            applied = await apply(self._views, deliveries)
            assert applied.stop is None, applied.stop

    def shown(self, library_id: UUID) -> dict[Key, Shown]:
        return self._do(self._shown(library_id))

    async def _shown(self, library_id: UUID) -> dict[Key, Shown]:
        query = "SELECT collection_id, files FROM files WHERE library_id = $1"
        held_in: dict[UUID, dict[str, tuple[int, int, bool]]] = {}
        for collection_id, chunk in await self._views.fetch(query, library_id):
            for file in _FILES.decode(chunk):
                held = (file.size_bytes, file.mtime_ns, file.missing_since is not None)
                held_in.setdefault(collection_id, {})[os.fsdecode(name_of(file))] = held
        query = (
            "SELECT collection_id, kind, path, path_bytes, state, image_count, size_bytes FROM collections"
            " WHERE library_id = $1 AND state <> 'withdrawn'"
        )
        return {
            (kind, path if path_bytes is None else os.fsdecode(path_bytes)): Shown(
                state, images, size, held_in.get(collection_id, {})
            )
            for collection_id, kind, path, path_bytes, state, images, size in await self._views.fetch(query, library_id)
        }

    def listed(self, library_id: UUID) -> dict[bytes, dict[bytes, int]]:
        """Sizes of all images by path and name, as the API lists them: page by page, as JSON."""
        return self._do(self._listed(library_id))

    async def _listed(self, library_id: UUID) -> dict[bytes, dict[bytes, int]]:
        wanted, workspace = collections.Wanted(library_id=library_id), names.DEFAULT_WORKSPACE
        listed: dict[bytes, dict[bytes, int]] = {}
        page = await collections.page(self._api, workspace, wanted, "path", Window(1, LARGEST_SIZE))
        assert page.total_count == len(page.data)
        for one in _over_the_wire(page):
            held = await files.page(self._api, workspace, UUID(one["id"]), Window(1, LARGEST_SIZE))
            assert held is not None
            assert held.total_count == len(held.data)
            listed[_bytes(one, "path")] = {_bytes(file, "name"): file["bytes"] for file in _over_the_wire(held)}
        return listed

    def sums(self, library_id: UUID) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Collections, images and bytes, by state and kind; none that is nothing."""
        query = "SELECT state, kind, collections, images, size_bytes FROM contents WHERE library_id = $1"
        rows = self._do(self._views.fetch(query, library_id))
        return {
            (state, kind): (many, images, size)
            for state, kind, many, images, size in rows
            if many and state != "withdrawn"
        }

    def holds(self, library_id: UUID) -> dict[UUID, str]:
        rows = self._do(self._views.fetch("SELECT scan_id, state FROM holds WHERE library_id = $1", library_id))
        return {UUID(bytes=scan_id.bytes): state for scan_id, state in rows}

    def proposed(self, scan_id: UUID) -> set[Key]:
        query = (
            "SELECT kind, path, path_bytes FROM proposals JOIN collections USING (collection_id)"
            " WHERE proposals.scan_id = $1 AND state <> 'withdrawn'"
        )
        rows = self._do(self._views.fetch(query, scan_id))
        return {(kind, path if raw is None else os.fsdecode(raw)) for kind, path, raw in rows}

    def ids(self, library_id: UUID) -> dict[Key, UUID]:
        query = (
            "SELECT kind, path, path_bytes, collection_id FROM collections"
            " WHERE library_id = $1 AND state <> 'withdrawn'"
        )
        rows = self._do(self._views.fetch(query, library_id))
        return {(kind, path if raw is None else os.fsdecode(raw)): each for kind, path, raw, each in rows}

    def forget_index(self, library_id: UUID) -> None:
        """The scanner's own picture is made again from the log: it is never the truth."""
        self._do(self._index.rebuild(self._log, library_id))


def _over_the_wire(page: Page[Any]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(page))["data"]
    return told


def _bytes(told: dict[str, Any], field: str) -> bytes:
    """Of a name or path: the text, unless that does not say all of it."""
    raw = told.get(f"{field}Bytes")
    return b64decode(raw) if raw else str(told[field]).encode()


async def _nobody_listens(_subject: str, _body: bytes) -> None: ...


def _order(library_id: UUID, root: Path, wishes: Wishes, mode: str, paths: list[str], *, dry_run: bool) -> Order:
    target = ScanTarget(
        library_id=library_id,
        library_name="Photos",
        library_path=str(root),
        include_subfolders=wishes.subfolders,
        exclude_patterns=wishes.excluded,
        extensions=wishes.extensions,
        guard=wishes.guard,
    )
    request = ScanRequested(
        job_id=uuid4(),
        schedule_id=names.schedule_of(library_id),
        instant=None,
        triggered_by="Manual",
        target=target,
        policy=JobPolicy(),
        requested_at=datetime.now(UTC),
        scan_mode=mode,
        scope=tuple(ScanPath(path=_shown_as(path), path_bytes=os.fsencode(path)) for path in paths),
        dry_run=dry_run,
    )
    return Order(
        request=request,
        attempt=1,
        workspace=names.DEFAULT_WORKSPACE,
        event_id=uuid4(),
        correlation_id=uuid4(),
        traceparent=None,
    )


def _shown_as(path: str) -> str:
    return os.fsencode(path).decode(errors="replace")
