import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from linstock.messages.library import RemovalGuard
from services.scanner.guard import EMPTY_ROOT, NO_COLLECTIONS, ROOT_MOVED, TOO_MANY, Sight, allowed, doubt

GUARD = RemovalGuard()


def sight(present: int, absent: int, *, root_entries: int = 9, found: int = 1, same: bool = True) -> Sight:
    return Sight(present=present, absent=absent, root_entries=root_entries, found=found, same_file_system=same)


@pytest.mark.parametrize(
    ("present", "limit"),
    [(0, 3), (1, 3), (29, 3), (39, 3), (40, 4), (50, 5), (999, 99), (1_000, 100), (1_009, 100), (50_000, 100)],
)
def test_three_or_a_tenth_may_go_unasked_and_never_more_than_a_hundred(present: int, limit: int) -> None:
    assert allowed(present, GUARD) == limit
    assert doubt(sight(present, limit), GUARD) is None
    asked = doubt(sight(present, limit + 1), GUARD)
    assert asked is not None
    assert asked.reason == TOO_MANY
    assert str(limit + 1) in asked.message
    assert str(limit) in asked.message


@pytest.mark.parametrize(
    ("looked", "reason"),
    [
        (sight(50, 1, root_entries=0, found=0), EMPTY_ROOT),
        (sight(50, 1, root_entries=0, found=0, same=False), EMPTY_ROOT),
        (sight(1, 1, found=0), NO_COLLECTIONS),
        (sight(50, 1, same=False), ROOT_MOVED),
        (sight(50, 40, same=False), ROOT_MOVED),
        (sight(50, 40), TOO_MANY),
    ],
)
def test_what_looks_like_a_disk_being_away_is_asked(looked: Sight, reason: str) -> None:
    asked = doubt(looked, GUARD)
    assert asked is not None
    assert asked.reason == reason


@pytest.mark.parametrize("same", [True, False])
def test_nothing_gone_is_never_asked(*, same: bool) -> None:
    assert doubt(sight(50, 0, root_entries=0, found=0, same=same), GUARD) is None


@pytest.mark.parametrize(
    ("guard", "present", "limit"),
    [
        (RemovalGuard(max_removed_percent=0), 50, 3),
        (RemovalGuard(max_removed_percent=100, max_removed=10_000), 5_000, 5_000),
        (RemovalGuard(max_removed=0), 50, 0),
        (RemovalGuard(min_always=0), 5, 0),
        (RemovalGuard(min_always=20), 50, 20),
    ],
)
def test_each_library_has_its_own_limits(guard: RemovalGuard, present: int, limit: int) -> None:
    assert allowed(present, guard) == limit


@for_all(st.integers(0, 10_000), st.integers(0, 10_000), st.booleans(), st.integers(0, 3), st.integers(0, 3))
def test_whatever_is_seen_no_more_than_allowed_goes_unasked(
    present: int, absent: int, same: bool, entries: int, found: int
) -> None:
    if doubt(sight(present, absent, root_entries=entries, found=found, same=same), GUARD) is None and absent:
        assert absent <= allowed(present, GUARD)
        assert same
        assert entries
        assert found
