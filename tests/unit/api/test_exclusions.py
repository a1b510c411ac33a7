"""What exclude patterns would leave out, counted as the scanner would leave it out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.dto.exclusions import ExclusionsPreviewDto
from services.api.exclusions import FOLDER, Known, Sieves
from services.scanner.scope import ARCHIVE, Scope

TREE: dict[str, list[str]] = {
    "": ["x.jpg"],
    "a": ["1.jpg", "2.tmp.jpg"],
    "a/drafts": ["1.jpg", "2.jpg", "3.jpg"],
    "a/drafts/old": ["1.tmp.jpg"],
    "b": ["only.tmp.jpg"],
}
ARCHIVES = {"a/drafts/z.zip": 4, "b/y.cbz": 5}


def weighed(lines: list[str], limit: int = 10) -> ExclusionsPreviewDto:
    sieves = Sieves(lines, limit)
    for path, names in TREE.items():
        known = Known(FOLDER, path.encode(), path, len(names))
        for sieve in sieves.weigh(known):
            sieve.drop_images(known, [(name.encode(), name) for name in names])
    for path, images in ARCHIVES.items():
        sieves.weigh(Known(ARCHIVE, path.encode(), path, images))
    return sieves.told(approximate=False)


def test_each_pattern_is_counted_by_itself_and_together_everything_once() -> None:
    told = weighed(["drafts/", "*.tmp.jpg"])
    drafts, temporary = told.patterns
    assert (drafts.collections, drafts.images) == (3, 3 + 1 + 4)
    assert drafts.paths == ["a/drafts", "a/drafts/old", "a/drafts/z.zip"]
    # Of b, and of the folder in the drafts, nothing is left; a loses one of two.
    assert (temporary.collections, temporary.images) == (2, 3)
    assert temporary.paths == ["a/2.tmp.jpg", "a/drafts/old/1.tmp.jpg", "b/only.tmp.jpg"]
    assert (told.collections, told.images, told.of_collections, told.of_images) == (4, 10, 7, 17)


def test_paths_are_the_first_ones() -> None:
    assert [each.paths for each in weighed(["drafts/", "*.zip"], 1).patterns] == [["a/drafts"], ["a/drafts/z.zip"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [("nowhere/", "nothing"), ("*", "everything"), ("!a", "brings back"), ("# note", "nothing"), ("b/", None)],
)
def test_a_pattern_that_does_nothing_or_too_much_is_warned_of(line: str, said: str | None) -> None:
    warning = weighed([line]).patterns[0].warning
    assert (warning is None) if said is None else (said in (warning or ""))


LINES = st.sampled_from(["a", "a/", "/b", "*.jpg", "*.zip", "drafts", "!drafts/", "old/", "*", "!b", "**/1.jpg", "a/*"])


@given(st.lists(LINES, min_size=1, max_size=5))
def test_together_they_leave_out_what_a_scan_would(lines: list[str]) -> None:
    scope = Scope(exclude_patterns=lines)
    kept = sum(
        not scope.leaves_out(FOLDER, path.encode())
        and not scope.leaves_out_image(f"{path}/{name}".lstrip("/").encode())
        for path, names in TREE.items()
        for name in names
    )
    kept += sum(images for path, images in ARCHIVES.items() if not scope.leaves_out(ARCHIVE, path.encode()))
    told = weighed(lines)
    assert told.of_images - told.images == kept
