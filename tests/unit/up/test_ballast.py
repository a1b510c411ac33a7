"""The file that is given back when a disk is full to the last byte."""

from pathlib import Path

import pytest

from linstock.disk import GIB, MIB, Space
from services.up import ballast
from services.up.ballast import Ballast


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the disk says it has free: one number, which the test changes."""
    said = [100 * GIB]
    monkeypatch.setattr(ballast, "measure", lambda _: Space(said[0], 320 * MIB))
    return said


def test_it_is_taken_while_there_is_plenty_and_given_back_once_when_there_is_nothing(
    tmp_path: Path, free: list[int]
) -> None:
    kept, file = Ballast(tmp_path), tmp_path / "ballast"
    assert not kept.look()
    assert file.stat().st_size == 10 * MIB
    assert file.stat().st_blocks * 512 >= 10 * MIB, "it must take real room"
    free[0] = 3 * MIB
    assert not kept.look()
    free[0] = 2 * MIB
    assert kept.look()
    assert not file.exists()
    free[0] = 12 * MIB
    assert not kept.look()
    assert not file.exists(), "what is freed first belongs to the work"
    free[0] = 60 * MIB
    assert not kept.look()
    assert file.exists()


def test_a_disk_without_room_has_none(tmp_path: Path, free: list[int]) -> None:
    free[0] = 30 * MIB
    assert not Ballast(tmp_path).look()
    assert not (tmp_path / "ballast").exists()
