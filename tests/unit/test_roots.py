"""Where libraries may be: links resolved, folders that are not there yet included."""

import os
from pathlib import Path

import pytest

from linstock.roots import ANYWHERE, EVERYWHERE, AllowedRoots, Outside


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    return folder


def refused(roots: AllowedRoots, path: Path | str) -> bool:
    return roots.refusal(str(path)) is not None


def test_without_roots_everything_is_allowed() -> None:
    assert EVERYWHERE.refusal("/etc") is None
    assert EVERYWHERE.bounds() == ANYWHERE
    assert ANYWHERE.hold(b"/etc")


def test_a_root_itself_and_what_is_in_it_also_when_it_is_not_there_yet(allowed: Path) -> None:
    roots = AllowedRoots([allowed])
    for path in (allowed, allowed / "a", allowed / "not" / "yet", f"{allowed}//a/../b/"):
        assert not refused(roots, path)
    assert not refused(AllowedRoots([allowed / "later"]), allowed / "later" / "x")
    assert not refused(AllowedRoots([Path("/")]), allowed)


def test_what_only_looks_like_it_is_not(allowed: Path) -> None:
    roots = AllowedRoots([allowed])
    for path in ("/", allowed.parent, f"{allowed}2", f"{allowed}/../outside", f"{allowed}/a/../../outside/deep"):
        assert refused(roots, path)


def test_links_are_resolved_on_both_sides(allowed: Path) -> None:
    (allowed / "out").symlink_to(allowed.parent / "outside")
    (allowed.parent / "in").symlink_to(allowed)
    roots = AllowedRoots([allowed.parent / "in"])
    assert refused(roots, allowed / "out")
    assert refused(roots, allowed / "out" / "deep" / "not-yet")
    assert not refused(roots, allowed / "x")
    assert not refused(roots, allowed.parent / "in" / "x")


def test_a_refusal_names_where_it_leads_and_what_is_allowed(allowed: Path) -> None:
    (allowed / "out").symlink_to(allowed.parent / "outside")
    sentence = AllowedRoots([allowed]).refusal(str(allowed / "out"))
    assert sentence
    assert str(allowed.parent / "outside") in sentence
    assert str(allowed) in sentence


def test_what_is_open_is_judged_by_where_it_is_not_by_how_it_was_named(allowed: Path) -> None:
    bounds = AllowedRoots([allowed]).bounds()
    (allowed / "link").symlink_to(allowed.parent / "outside")
    descriptor = os.open(allowed / "link", os.O_RDONLY)
    try:
        (allowed / "link").unlink()
        (allowed / "link").mkdir()  # the name is harmless by now; the descriptor is not
        with pytest.raises(Outside) as outside:
            bounds.check(descriptor)
    finally:
        os.close(descriptor)
    assert outside.value.real == os.fsencode(allowed.parent / "outside")
