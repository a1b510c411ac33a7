"""What .linstockignore files leave out, against git itself, and files that mean harm."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scanner.ignores import LIMIT_BYTES, LIMIT_LINES, BadIgnoreFile, Ignores
from services.scanner.listing import Folder, Trouble
from services.scanner.opening import below
from services.scanner.reach import resolve
from services.scanner.remembered import Remembered, digest_of, encode, row_of
from services.scanner.scope import ARCHIVE, FOLDER, Scope
from services.scanner.walk import walk

NAME = ".linstockignore"
LINES = st.sampled_from(
    ["*.jpg", "a", "a/", "/a", "b/", "!b", "!b/", "*", "!*.png", "a/b", "**/b", "a/**", "x.jpg", "!x.jpg", "/b/*", "#a"]
)
FOLDERS = ["", "a", "b", "a/a", "a/b", "b/a", "a/b/a"]


def tree(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def seen(root: Path, scope: Scope | None = None, *paths: str) -> tuple[set[str], list[Trouble]]:
    """Images, as paths, and troubles."""
    images, troubles = set(), []
    scope = scope or Scope()
    reach = resolve(os.fsencode(root), [path.encode() for path in paths])
    for found in walk(os.fsencode(root), scope, reach=reach):
        if isinstance(found, Trouble):
            troubles.append(found)
        elif isinstance(found, Folder):
            images |= {os.fsdecode(below(found.path, name)) for name in found.images.names}
    return images, troubles


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ignores=st.dictionaries(st.sampled_from(FOLDERS), st.lists(LINES, min_size=1, max_size=4), max_size=4))
def test_what_is_left_out_is_what_git_leaves_out(
    ignores: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    files = {f"{folder}/{name}".lstrip("/"): "" for folder in FOLDERS for name in ("x.jpg", "y.jpg", "z.png")}
    texts = {folder: "\n".join(lines) for folder, lines in ignores.items()}
    tree(root, files)
    for name in (NAME, ".gitignore"):
        tree(root, {f"{folder}/{name}".lstrip("/"): text for folder, text in texts.items()})
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "-c", "core.excludesFile=", "ls-files", "-o", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    kept = {path for path in listed.split("\0") if path in files}
    scope = Scope()
    assert seen(root, scope)[0] == kept
    # And once all is read, the scope says the same of what is recorded.
    assert {path for path in files if not scope.excludes_file(path.encode()) and _looked_at(scope, path)} == kept


def _looked_at(scope: Scope, path: str) -> bool:
    return not scope.leaves_out(FOLDER, path.encode().rpartition(b"/")[0])


def test_what_settings_leave_out_no_file_brings_back(tmp_path: Path) -> None:
    tree(tmp_path, {NAME: "!a.jpg\nb.jpg\n", "a.jpg": "", "b.jpg": "", "c.jpg": ""})
    assert seen(tmp_path, Scope(exclude_patterns=["a.jpg"]))[0] == {"c.jpg"}


def test_a_file_speaks_of_what_lies_below_its_folder_alone(tmp_path: Path) -> None:
    tree(tmp_path, {f"a/{NAME}": "x.jpg\n/deep/", "x.jpg": "", "a/x.jpg": "", "a/deep/y.jpg": "", "a/b/deep/y.jpg": ""})
    assert seen(tmp_path)[0] == {"x.jpg", "a/b/deep/y.jpg"}


def test_a_scan_of_a_part_heeds_what_lies_above_it(tmp_path: Path) -> None:
    tree(tmp_path, {NAME: "*.png\nout/", "a/b/x.jpg": "", "a/b/y.png": "", "a/out/z.jpg": ""})
    assert seen(tmp_path, None, "a/b")[0] == {"a/b/x.jpg"}
    assert seen(tmp_path, None, "a/out", "a/out/z.jpg")[0] == set()


def test_what_was_left_out_is_known_to_be(tmp_path: Path) -> None:
    tree(tmp_path, {NAME: "old/\n*.zip", "old/deep/x.jpg": "", "new/x.jpg": ""})
    scope = Scope()
    narrows = [scope.narrows]
    seen(tmp_path, scope)
    assert [*narrows, scope.narrows] == [False, True]
    assert [scope.leaves_out(FOLDER, path) for path in (b"old", b"old/deep", b"new", b"")] == [True, True, False, False]
    assert (scope.leaves_out(ARCHIVE, b"new/a.zip"), scope.leaves_out(ARCHIVE, b"new/a.cbz")) == (True, False)


def test_a_changed_file_counts_at_once_also_where_nothing_else_changed(tmp_path: Path) -> None:
    """Folders whose stamps stand still are not looked at in a quick scan; what an ignore file says of them is."""
    tree(tmp_path, {NAME: "# nothing", "a/b/x.jpg": "", "a/b/y.png": ""})
    for folder in (tmp_path / "a/b", tmp_path / "a", tmp_path):
        os.utime(folder, (1_000_000_000, 1_000_000_000))
    rows = [
        (each.path, encode(row_of(each, digest_of(each), [], images=0, size_bytes=0).at(_stamp(tmp_path, each.path))))
        for each in walk(os.fsencode(tmp_path))
        if isinstance(each, Folder) and each.path
    ]
    quick = list(walk(os.fsencode(tmp_path), Scope(), remembered=Remembered(rows, quick=True)))
    assert [isinstance(each, Folder) for each in quick] == [True, False, False]
    (tmp_path / NAME).write_text("*.png")
    [_, _, looked] = walk(os.fsencode(tmp_path), Scope(), remembered=Remembered(rows, quick=True))
    assert isinstance(looked, Folder)
    assert looked.images.names == [b"x.jpg"]


def _stamp(root: Path, path: bytes) -> tuple[int, int]:
    status = (root / os.fsdecode(path)).stat()
    return status.st_mtime_ns, status.st_ctime_ns


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"x.jpg\n" + b"#" * LIMIT_BYTES, "64 KiB"),
        (b"x.jpg\n" * (LIMIT_LINES + 1), "1000 lines"),
        (b"x.jpg\n" * 1_000_000, "64 KiB"),
        (b"x.jpg\n" + b"?" * 1001, "line 2"),
        (b"x.jpg\n!", "no line of a .gitignore"),
    ],
)
def test_a_file_that_is_too_much_or_not_one_is_a_trouble_and_leaves_nothing_out(
    tmp_path: Path, text: bytes, said: str
) -> None:
    tree(tmp_path, {"x.jpg": "", "a/x.jpg": ""})
    (tmp_path / NAME).write_bytes(text)
    images, [trouble] = seen(tmp_path)
    assert images == {"x.jpg", "a/x.jpg"}
    assert (trouble.code, trouble.path, said in trouble.message) == ("bad_ignore_file", NAME.encode(), True)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"secret": "x.jpg\n"})
    root = tree(tmp_path / "root", {"x.jpg": ""})
    (root / NAME).symlink_to(outside / "secret")
    images, [trouble] = seen(root)
    assert (images, trouble.code) == ({"x.jpg"}, "bad_ignore_file")


def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    tree(tmp_path, {"a/x.jpg": ""})
    os.mkfifo(tmp_path / NAME)
    assert seen(tmp_path)[0] == {"a/x.jpg"}
    assert seen(tmp_path, None, "a")[0] == {"a/x.jpg"}


def test_a_pattern_that_backtracks_takes_linear_time() -> None:
    ignores = Ignores()
    ignores.add(b"", b"\n".join([b"*a" * 30 + b"b"] * 20))
    began = time.monotonic()
    for number in range(50):
        assert not ignores.match(b"a" * 200 + str(number).encode())
    assert time.monotonic() - began < 5


def test_lines_that_are_too_much_together_do_not_count() -> None:
    with pytest.raises(BadIgnoreFile, match="too much together"):
        Ignores().add(b"", b"\n".join([b"*a" * 30 + b"b"] * LIMIT_LINES))


def test_bytes_that_are_no_text_are_patterns_too() -> None:
    ignores = Ignores()
    ignores.add(b"", b"\xef\xbb\xbfa.jpg\r\n\xff*.png\r\n")
    assert ignores.match(b"a.jpg")
    with pytest.raises(BadIgnoreFile):
        ignores.add(b"b", b"\0" * (LIMIT_BYTES + 1))
