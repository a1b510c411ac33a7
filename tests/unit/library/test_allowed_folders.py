"""A library is made, and moved, where libraries are allowed only."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from linstock.bus.inbox import CommandContext, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Origin
from linstock.messages.library import ChangeLibrary, CreateLibrary, LibraryCommand, Settings
from linstock.roots import AllowedRoots
from services.library import commands
from services.library.commands import LibraryPlanner

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Libraries:
    def __init__(self, *roots: Path) -> None:
        self.log = MemoryLog("library")
        self.planner = LibraryPlanner(self.log, AllowedRoots(roots))

    async def tell(self, command: LibraryCommand) -> None:
        context = CommandContext(command_id=uuid4(), workspace="default", actor="test", at=NOON)
        plan = await self.planner.plan(command, context)
        await self.log.append(plan.appends, Origin(workspace="default", actor="test", at=NOON, correlation_id=uuid4()))

    async def refusal(self, command: LibraryCommand) -> tuple[int, str | None, str]:
        with pytest.raises(Refused) as refused:
            await self.tell(command)
        answer = refused.value.answer
        return answer.status, answer.code, answer.field


def made_at(path: Path) -> CreateLibrary:
    return CreateLibrary(settings=Settings(name="A", path=str(path)))


async def test_elsewhere_none_is_made_or_moved_to(tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "out").symlink_to("/etc")
    libraries = Libraries(tmp_path / "allowed")
    for path in (tmp_path, Path("/etc"), tmp_path / "allowed" / "out", tmp_path / "allowed" / ".." / "x"):
        assert await libraries.refusal(made_at(path)) == (422, "path-not-allowed", "path")
    await libraries.tell(made_at(tmp_path / "allowed" / "not-yet"))
    (event, _) = await libraries.log.read(0)
    moved = ChangeLibrary(library_id=event.aggregate_id, path="/etc")
    assert await libraries.refusal(moved) == (422, "path-not-allowed", "path")


async def test_a_disk_that_does_not_answer_allows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def waits(roots: AllowedRoots, path: str) -> None:
        answered.wait(10)

    monkeypatch.setattr(AllowedRoots, "refusal", waits)
    monkeypatch.setattr(commands, "RESOLVE_WITHIN_S", 0.01)
    try:
        assert await Libraries(tmp_path).refusal(made_at(tmp_path)) == (422, "path-not-allowed", "path")
    finally:
        answered.set()
