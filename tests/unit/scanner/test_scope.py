"""Which of a tree's paths a library's settings leave out."""

import time

import pytest

from services.scanner.scope import ARCHIVE, FOLDER, Scope


def looked_at(scope: Scope, *paths: str) -> list[str]:
    """Of these images, those that a walk would come to and keep."""

    def reached(path: bytes) -> bool:
        folder = path.rpartition(b"/")[0]
        return not scope.leaves_out(FOLDER, folder) and not scope.leaves_out_image(path)

    return [path for path in paths if reached(path.encode())]


TREE = ("1.jpg", "a/1.jpg", "a/2.PNG", "a/b/3.jpg", "a/keep/4.jpg", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg")

# What `git ls-files --others --exclude-standard` lists with these lines as .gitignore.
CASES: list[tuple[list[str], list[str]]] = [
    (["raw"], ["1.jpg", "a/1.jpg", "a/2.PNG", "a/b/3.jpg", "a/keep/4.jpg", "x/y/raw.jpg"]),
    (["/raw/"], ["1.jpg", "a/1.jpg", "a/2.PNG", "a/b/3.jpg", "a/keep/4.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
    (["[a3].*", "1*", "# *.jpg", ""], ["a/2.PNG", "a/keep/4.jpg", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
    (["a/*", "!a/keep"], ["1.jpg", "a/keep/4.jpg", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
    (["a/", "!a/keep/"], ["1.jpg", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
    (["*", "!*/", "!*.PNG"], ["a/2.PNG"]),
    (["a/**", "!a/keep/", "!a/keep/4*"], ["1.jpg", "a/keep/4.jpg", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
    (["x/raw", "!x"], ["1.jpg", "a/1.jpg", "a/2.PNG", "a/b/3.jpg", "a/keep/4.jpg", "raw/5.jpg", "x/y/raw.jpg"]),
    (["x/**/raw*"], ["1.jpg", "a/1.jpg", "a/2.PNG", "a/b/3.jpg", "a/keep/4.jpg", "raw/5.jpg"]),
    (["[0-4].jpg", "!/1.jpg"], ["1.jpg", "a/2.PNG", "raw/5.jpg", "x/raw/6.jpg", "x/y/raw.jpg"]),
]  # fmt: skip


@pytest.mark.parametrize(("patterns", "expected"), CASES)
def test_patterns_leave_out_what_git_would_ignore(patterns: list[str], expected: list[str]) -> None:
    assert looked_at(Scope(exclude_patterns=patterns), *TREE) == expected


def test_a_name_that_is_not_utf8_is_matched_like_any_other() -> None:
    scope = Scope(exclude_patterns=["caf?/", "*.gif"])
    assert scope.excludes_folder(b"caf\xe9")
    assert not scope.excludes_folder(b"caf\xe9s")
    assert scope.excludes_file(b"\xff\xfe/\xf0.gif")
    assert not scope.excludes_file(b"\xff\xfe/\xf0.png")


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    scope = Scope(exclude_patterns=["*a" * 99 + "b"])
    began = time.monotonic()
    assert not scope.excludes_file(b"a" * 250)
    assert time.monotonic() - began < 1


def test_extensions_choose_among_images_and_archives() -> None:
    scope = Scope(extensions=[".png", ".cbz"])
    assert looked_at(scope, *TREE) == ["a/2.PNG"]
    assert [scope.leaves_out(ARCHIVE, path) for path in (b"a.zip", b"a/b.CBZ")] == [True, False]
    assert [scope.leaves_out_member(name) for name in (b"1.jpg", b"1.PNG")] == [True, False]


def test_only_archives_leave_out_every_folder() -> None:
    scope = Scope(extensions=[".zip"])
    assert scope.leaves_out(FOLDER, b"")
    assert not scope.leaves_out(ARCHIVE, b"a.zip")


def test_without_subfolders_the_root_and_its_archives_remain() -> None:
    scope = Scope(include_subfolders=False)
    found = [(FOLDER, b""), (FOLDER, b"a"), (ARCHIVE, b"a.zip"), (ARCHIVE, b"a/b.zip")]
    assert [scope.leaves_out(*each) for each in found] == [False, True, False, True]


def test_an_archive_below_an_excluded_folder_is_left_out() -> None:
    scope = Scope(exclude_patterns=["old/", "!old/keep.zip"])
    assert scope.leaves_out(ARCHIVE, b"a/old/keep.zip")
    assert not scope.leaves_out(ARCHIVE, b"a/new/keep.zip")


def test_the_defaults_narrow_nothing() -> None:
    assert not Scope().narrows
    assert all(
        scope.narrows
        for scope in (Scope(include_subfolders=False), Scope(exclude_patterns=["x"]), Scope(extensions=[".png"]))
    )
