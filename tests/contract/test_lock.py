"""A published sample can neither be changed nor deleted, unless its next version stands beside it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract import generate, lock

TYPE = "linstock.library.created"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return shutil.copytree(generate.CONTRACTS, tmp_path / "contracts")


def faults(contracts: Path) -> list[str]:
    return lock.faults(generate.locked(contracts), generate.checksums(contracts))


def sample(contracts: Path, version: int) -> Path:
    return contracts / "samples" / f"{TYPE}.v{version}.json"


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace("Pictures", "Photos"))


def delete(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(("harm", "told"), [(edit, "was changed"), (delete, "is gone")])
def test_a_harmed_sample_is_told_also_by_make_contracts(
    contracts: Path, harm: Callable[[Path], None], told: str
) -> None:
    harm(sample(contracts, 1))
    expected = [f"{TYPE}.v1 {told}, although it is published: restore it, or add {TYPE}.v2 beside it"]
    assert faults(contracts) == expected
    generate.write(contracts)  # neither locks the harm in nor makes another sample in its place
    assert faults(contracts) == expected


@pytest.mark.parametrize("harm", [edit, delete])
def test_it_may_go_once_its_next_version_stands_beside_it(contracts: Path, harm: Callable[[Path], None]) -> None:
    shutil.copy(sample(contracts, 1), sample(contracts, 2))
    harm(sample(contracts, 1))
    assert faults(contracts) == [f"{TYPE}.v2 is in no line of samples.lock: run `make contracts`"]
    generate.write(contracts)
    assert faults(contracts) == []
    harm(sample(contracts, 2))  # which is published now itself
    assert len(faults(contracts)) == (1 if harm is edit else 2)


def test_each_version_may_go_when_the_next_has_come(contracts: Path) -> None:
    for version in (1, 2):
        shutil.copy(sample(contracts, version), sample(contracts, version + 1))
        generate.write(contracts)
        delete(sample(contracts, version))
    assert faults(contracts) == []


def test_a_version_further_on_is_not_enough(contracts: Path) -> None:
    shutil.copy(sample(contracts, 1), sample(contracts, 3))
    delete(sample(contracts, 1))
    assert any(fault.startswith(f"{TYPE}.v1 is gone") for fault in faults(contracts))


def test_lines_are_only_added(contracts: Path) -> None:
    before = (contracts / generate.LOCK).read_text().splitlines()
    shutil.copy(sample(contracts, 1), sample(contracts, 2))
    edit(sample(contracts, 1))
    generate.write(contracts)
    after = (contracts / generate.LOCK).read_text().splitlines()
    assert set(before) < set(after)
    assert len(after) == len(before) + 1
