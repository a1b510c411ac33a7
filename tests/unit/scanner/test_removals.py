"""Random histories of a library on a real folder against a plain model: walk, catalogue and what follows, on a log
in memory and an index that is nothing but the fold of it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Origin, Recorded
from linstock.messages.catalogue import (
    ApproveRemovals,
    CatalogueEvent,
    CollectionsMarkedMissing,
    CollectionsRecorded,
    CollectionsRestored,
    RejectRemovals,
    RemovalsProposed,
)
from linstock.messages.library import RemovalGuard
from linstock.messages.scan import Counts, ScanCompleted
from services.scanner import catalogue
from services.scanner.catalogue import CATALOGUE, Hold
from services.scanner.diff import Change, Known
from services.scanner.identity import Kinship
from services.scanner.images import Images, empty, from_entries, from_rows, merge
from services.scanner.ledger import Attempt, Ledger
from services.scanner.opened import Opened
from services.scanner.outcome import Unseen
from services.scanner.pages import pages
from services.scanner.reach import EVERYWHERE, Reach
from services.scanner.removals import Concluded, Looked, Removals
from services.scanner.scope import Scope
from services.scanner.survey import survey
from services.scanner.tally import Tally
from services.scanner.task import Task

NOW = datetime(2026, 3, 29, 2, tzinfo=UTC)
LIBRARY = UUID(int=42)
NAMES = [f"c{number:02}" for number in range(16)]
ORIGIN = Origin(workspace="default", actor="eva", at=NOW, correlation_id=UUID(int=1))


class Fold:
    """The index, from the events alone, as simply as can be. Also what a scan recalls; it remembers no archive."""

    def __init__(self) -> None:
        self.known_: dict[UUID, Known] = {}
        self.kinds: dict[UUID, tuple[str, bytes]] = {}
        self.missing: set[UUID] = set()
        self.proposed: dict[tuple[UUID, int], set[UUID]] = {}
        self._images: dict[UUID, Images] = {}

    async def apply(self, library_id: UUID, events: Iterable[Recorded]) -> None:
        for event in events:
            self._fold(CATALOGUE.decode(event.data))

    def _fold(self, event: CatalogueEvent) -> None:
        match event:
            case CollectionsRecorded(collections=entries, files=shares):
                for entry in entries:
                    self.kinds[entry.collection_id] = (entry.kind, entry.path.encode())
                    self.known_[entry.collection_id] = Known(
                        digest=entry.digest,
                        image_count=entry.image_count,
                        size_bytes=entry.size_bytes,
                        mtime_ns=entry.mtime_ns,
                    )
                    self.missing.discard(entry.collection_id)
                for share in shares:
                    before = self._images.get(share.collection_id, empty())
                    self._images[share.collection_id] = merge(before, from_entries(share.files))
            case CollectionsMarkedMissing(collections=ids, files=gone):
                self.missing |= set(ids)
                for each in gone:
                    images = self._images.get(each.collection_id, empty())
                    rows = zip(images.names, images.sizes, images.mtimes, strict=True)
                    left = from_rows(row for row in rows if row[0].decode() not in each.names)
                    self._images[each.collection_id] = left
                    self.known_[each.collection_id] = Known(
                        digest=each.digest, image_count=each.image_count, size_bytes=each.size_bytes, mtime_ns=0
                    )
                    assert each.digest == left.digest()
            case CollectionsRestored(collections=ids):
                self.missing -= set(ids)
            case RemovalsProposed(scan_id=scan_id, attempt=attempt, collections=ids):
                self.proposed.setdefault((scan_id, attempt), set()).update(ids)
            case _:
                pass

    def known(self, collection_ids: Sequence[UUID]) -> dict[UUID, Known]:
        found = {each: self.known_[each] for each in collection_ids if each in self.known_}
        return {
            each: Known(
                digest=known.digest,
                image_count=known.image_count,
                size_bytes=known.size_bytes,
                mtime_ns=known.mtime_ns,
                missing=each in self.missing,
            )
            for each, known in found.items()
        }

    def images(self, collection_ids: Sequence[UUID]) -> dict[UUID, Images]:
        return {each: self._images.get(each, empty()) for each in collection_ids}

    async def folder_images(self, collection_ids: Sequence[UUID], *, most: int | None = None) -> dict[UUID, Images]:
        del most
        return self.images([each for each in collection_ids if each in self._images])

    def kinship(
        self, places: Sequence[UUID], *, digests: Sequence[str], archives: Sequence[tuple[int, int]]
    ) -> Kinship:
        return Kinship()

    def opened(self, collection_ids: Sequence[UUID]) -> dict[UUID, Opened]:
        return {}

    def remember(self, opened: dict[UUID, Opened]) -> None:
        pass

    async def unseen(
        self,
        library_id: UUID,
        scope: Scope,
        seen: set[bytes],
        *,
        unknown: Callable[[str, bytes], bool],
        reach: Reach = EVERYWHERE,
    ) -> Unseen:
        there = [each for each in self.known_ if each not in self.missing]
        lost = [each for each in there if each.bytes not in seen]
        doubtful = [each for each in lost if unknown(*self.kinds[each])]
        absent = sorted(set(lost) - set(doubtful))
        return Unseen(present=len(there), left_out=0, absent=absent, unknown=sorted(doubtful))

    async def proposals(self, library_id: UUID, hold: Hold) -> set[UUID]:
        return self.proposed.get((hold.scan_id, hold.attempt), set()) - self.missing

    def paths(self, ids: Iterable[UUID]) -> set[str]:
        return {self.kinds[each][1].decode() for each in ids}


class Library:
    """What is on disk, what is known of it, and what a model expects."""

    def __init__(self, home: Path) -> None:
        self.root = home / "photos"
        self.root.mkdir()
        self.shelf = home / "shelf"
        self.shelf.mkdir()
        self.away = home / "away"
        self.disk = "disk"
        self.log = MemoryLog("scanner")
        self.index = Fold()

    async def scan(self) -> Concluded:
        attempt = Attempt(
            scan_id=uuid4(), library_id=LIBRARY, attempt=1, lease=uuid4(), worker="w", root=str(self.root),
            workspace="default", correlation_id=uuid4(), causation_id=uuid4(), traceparent=None,
        )  # fmt: skip
        ledger, tally, index = Ledger(self.log, attempt), Tally(), self.index
        await ledger.start(NOW)
        task = Task(library_id=LIBRARY, root=os.fsencode(self.root), scope=Scope())
        changes = (each for each in survey(task, index, tally, lambda: False) if isinstance(each, Change))
        for page in pages(changes):
            await index.apply(LIBRARY, await ledger.record(page, NOW))
        fake: Any = index
        removals = Removals(attempt, ledger=ledger, index=fake, allowed=RemovalGuard(), now=lambda: NOW)
        ended = await removals.conclude(Looked(tally=tally, before=self.disk, after=self.disk), task.scope)
        await self._close(ledger, attempt, ended)
        return ended

    async def _close(self, ledger: Ledger, attempt: Attempt, ended: Concluded) -> None:
        verdict = ScanCompleted(
            scan_id=attempt.scan_id, library_id=LIBRARY, attempt=1, lease=attempt.lease,
            counts=Counts(), duration_ms=1, held=ended.waiting, at=NOW,
        )  # fmt: skip
        recorded = await ledger.complete(verdict, held=ended.held, settles=ended.settles, file_system=ended.file_system)
        await self.index.apply(LIBRARY, recorded)

    async def hold(self) -> Hold | None:
        return (await CATALOGUE.load(self.log, LIBRARY)).state.hold

    async def decide(self, *, approved: bool) -> set[str]:
        """What was asked about."""
        loaded = await CATALOGUE.load(self.log, LIBRARY)
        hold = loaded.state.hold
        assert hold
        proposed = sorted(await self.index.proposals(LIBRARY, hold))
        ids = {"library_id": LIBRARY, "scan_id": hold.scan_id}
        events = (
            catalogue.approve(ApproveRemovals(**ids), loaded.state, proposed=proposed, actor="eva", at=NOW)
            if approved
            else catalogue.reject(RejectRemovals(**ids), loaded.state, actor="eva", at=NOW)
        )
        await self.index.apply(LIBRARY, await self.log.append([loaded.append(events)], ORIGIN))
        return self.index.paths(proposed)

    def there(self) -> set[str]:
        return {path.name for path in self.root.iterdir() if any(path.iterdir())}


class Model:
    """Paths alone: what is known, missing, asked about, and rejected."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.missing: set[str] = set()
        self.waiting: set[str] = set()
        self.rejected: set[str] = set()

    def scanned(self, there: set[str], *, same_disk: bool) -> None:
        present = self.known - self.missing
        absent = present - there
        fresh = absent - self.rejected
        asked = bool(fresh) and (not there or not same_disk or len(absent) > max(3, len(present) // 10))
        if asked:
            self.waiting, self.rejected = absent, set()
        elif there:
            self.missing |= fresh
            self.waiting = set()
            self.rejected = self.rejected if absent & self.rejected else set()
        self.missing -= there
        self.known |= there


steps = st.tuples(
    st.sampled_from(
        ["add", "delete", "take", "put back", "edit", "unmount", "mount", "other disk", "approve", "reject"]
    ),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True),
)


@for_all(st.lists(steps, min_size=6, max_size=20))
@settings(deadline=None, max_examples=120)
def test_whatever_comes_and_goes_the_model_says_what_is_missing_and_what_is_asked(
    history: list[tuple[str, list[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(_lived(Library(Path(home)), Model(), history))


async def _lived(library: Library, model: Model, history: list[tuple[str, list[str]]]) -> None:
    home = ""  # the disk that the content was on last
    for step, names in history:
        await _happens(library, model, step, names)
        if step == "approve" and not model.waiting:
            home = await _where(library)
        there = library.there()
        model.scanned(there, same_disk=home in ("", library.disk))
        ended = await library.scan()
        home = await _where(library)
        assert ended.waiting == len(model.waiting)
        assert library.index.paths(library.index.missing) == model.missing
        assert library.index.paths(library.index.known_) == model.known
        hold = await library.hold()
        proposed = await library.index.proposals(LIBRARY, hold) if hold and not hold.rejected else set()
        assert library.index.paths(proposed) == model.waiting
        assert (hold is not None) == bool(model.waiting or model.rejected)
    again = Fold()
    await again.apply(LIBRARY, await library.log.load(LIBRARY))
    assert vars(again).keys() == vars(library.index).keys()
    assert (again.known_, again.missing, again.proposed) == (
        library.index.known_,
        library.index.missing,
        library.index.proposed,
    )


async def _where(library: Library) -> str:
    return (await CATALOGUE.load(library.log, LIBRARY)).state.file_system


async def _happens(library: Library, model: Model, step: str, names: list[str]) -> None:
    match step:
        case "approve" if model.waiting:
            assert await library.decide(approved=True) == model.waiting
            model.missing |= model.waiting
            model.waiting = set()
        case "reject" if model.waiting:
            assert await library.decide(approved=False) == model.waiting
            model.rejected, model.waiting = model.waiting, set()
        case "unmount" if not library.away.exists():
            library.root.rename(library.away)
            library.root.mkdir()
        case "mount" if library.away.exists():
            shutil.rmtree(library.root)
            library.away.rename(library.root)
        case "other disk":
            library.disk += "'"
            for name in names[:2]:
                _moves(library, "take", name)
        case _:
            for name in names:
                _moves(library, step, name)


def _moves(library: Library, step: str, name: str) -> None:
    there, shelved = library.root / name, library.shelf / name
    match step:
        case "add" if not there.exists():
            there.mkdir()
            (there / "1.jpg").write_bytes(b"1")
            (there / "2.jpg").write_bytes(b"22")
        case "delete" if there.exists():
            shutil.rmtree(there)
        case "take" if there.exists() and not shelved.exists():
            there.rename(shelved)
        case "put back" if shelved.exists() and not there.exists():
            shelved.rename(there)
        case "edit" if there.exists():
            (there / "2.jpg").unlink(missing_ok=True)
            (there / "3.jpg").write_bytes(b"333")
        case _:
            pass
