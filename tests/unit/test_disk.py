"""From when on a disk counts as full, and again as not full."""

from pathlib import Path

import pytest

from linstock.disk import GIB, MIB, Disk, DiskFull, Space, because_full, measure

LARGE = 500 * GIB
SMALL = 320 * MIB


def disk(free_bytes: int, total_bytes: int = LARGE) -> Disk:
    return Disk(Path("/somewhere"), lambda _: Space(free_bytes, total_bytes))


def test_a_large_disk_is_low_below_a_gibibyte_and_full_below_half_of_one() -> None:
    assert disk(GIB).low() is None
    assert disk(GIB - 1).low() == (
        "the disk of the data directory is nearly full (1023 MB free of 500 GB): below 512 MB no new work is begun"
    )
    assert disk(512 * MIB).full() is None
    assert disk(12 * MIB).full() == "the disk of the data directory is full (12 MB free of 500 GB): free some space"


def test_a_small_disk_is_judged_by_its_size() -> None:
    assert disk(SMALL // 8, SMALL).low() is None
    assert disk(SMALL // 8 - 1, SMALL).low()
    assert disk(SMALL // 16, SMALL).full() is None
    assert disk(SMALL // 16 - 1, SMALL).full()


def test_it_stays_full_until_there_is_somewhat_more_room() -> None:
    free = [600 * MIB]
    looked_at = Disk(Path("/somewhere"), lambda _: Space(free[0], LARGE))
    found = []
    for free[0] in (600 * MIB, 511 * MIB, 600 * MIB, 640 * MIB, 600 * MIB):
        found.append(looked_at.full() is not None)
    assert found == [False, True, True, False, False]


def test_a_full_disk_refuses_and_says_why() -> None:
    disk(GIB).refuse_full()
    with pytest.raises(DiskFull, match="free some space"):
        disk(0).refuse_full()


async def test_servers_elsewhere_have_no_disk_here() -> None:
    nowhere = Disk(None)
    nowhere.refuse_full()
    assert (nowhere.full(), nowhere.low(), await nowhere.problem()) == (None, None, None)


def test_a_real_disk_is_measured(tmp_path: Path) -> None:
    found = measure(tmp_path)
    assert 0 <= found.free_bytes <= found.total_bytes
    assert because_full(tmp_path / "not there") == ""
