"""What may happen to a library's disk, each often followed by a scan."""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.model.disk import IGNORE_FILE, Archive, Disk, Folder, Image, Text, archive_of, broken, image_of, join
from tests.model.wishes import BAD_TEXT, LINES, NO_TEXT

FOLDER_NAMES = ("a", "b", "A", "caf\udce9", "e\u0301", "\u00e9")
IMAGE_NAMES = ("1.jpg", "2.jpg", "1.png", "1.JPG", "\udcff.jpg", "ü.jpg")
ARCHIVE_NAMES = ("x.zip", "y.cbz", "лето.zip")
MEMBER_NAMES = ("1.jpg", "2.jpg", "1.png", "p/2.png", "note.txt")

some = st.integers(0, 999)  # which one: counted around
sizes = st.integers(0, 3)
members = st.dictionaries(st.sampled_from(MEMBER_NAMES), sizes, max_size=3)
lines = st.lists(st.sampled_from((*LINES, *("!" + line for line in LINES))), max_size=2).map(tuple)

K = TypeVar("K", Image, Archive)

CURRENT: list[Disk] = []
"""Of the libraries that are tried at the moment, which is one."""


def happening(**given: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A rule, and often a scan right after it."""

    def ruled(happens: Callable[..., None]) -> Any:
        @wraps(happens)
        def happens_then(self: "Happenings", then: str | None, **drawn: Any) -> None:
            happens(self, **drawn)
            if then:
                self.scan(then, [], dry_run=False, unsteady=False)

        drawn_too: dict[str, Any] = {"then": st.sampled_from((None, None, "quick", "changed", "deep")), **given}
        made: Any = rule(**drawn_too)
        return made(happens_then)

    return ruled


class Happenings(RuleBasedStateMachine):
    """Whoever says what a scan is, is below."""

    def __init__(self) -> None:
        super().__init__()
        self._home = Path(tempfile.mkdtemp(prefix="linstock-model-"))
        self.disk = Disk(self._home)
        self.disk.mount("home")
        CURRENT.append(self.disk)

    def teardown(self) -> None:
        CURRENT.remove(self.disk)
        shutil.rmtree(self._home)

    def scan(self, mode: str, paths: list[str], *, dry_run: bool, unsteady: bool) -> None:
        raise NotImplementedError

    def _folder(self, number: int) -> str:
        found = self.disk.all(Folder)
        return found[number % len(found)]

    def _new(self, folder: int, name: str) -> str | None:
        path = join(self._folder(folder), name)
        return None if self.disk.at(path) else path

    @precondition(lambda self: self.disk.mounted)
    @happening(folder=some, name=some)
    def make_folder(self, folder: int, name: int) -> None:
        if (path := self._new(folder, FOLDER_NAMES[name % len(FOLDER_NAMES)])) and path.count("/") < 3:
            self.disk.make_folder(path)

    @precondition(lambda self: self.disk.mounted)
    @happening(folder=some, name=some, size=sizes)
    def add_image(self, folder: int, name: int, size: int) -> None:
        if path := self._new(folder, IMAGE_NAMES[name % len(IMAGE_NAMES)]):
            self.disk.write(path, image_of(path, size, self.disk.tick()))

    @precondition(lambda self: self.disk.mounted)
    @happening(folder=some, name=some, held=members)
    def add_archive(self, folder: int, name: int, held: dict[str, int]) -> None:
        if path := self._new(folder, ARCHIVE_NAMES[name % len(ARCHIVE_NAMES)]):
            self.disk.write(path, archive_of(held, self.disk.tick()))

    @precondition(lambda self: self.disk.mounted and self.disk.all(Image))
    @happening(which=some, size=sizes, lies=st.booleans(), sound=st.booleans())
    def edit_image(self, which: int, size: int, *, lies: bool, sound: bool) -> None:
        """In place; `lies`: its time stays."""
        path, image = self._file(which, Image)
        self.disk.write(path, image_of(path, size, image.mtime_ns if lies else self.disk.tick(), sound=sound))

    @precondition(lambda self: self.disk.mounted and self.disk.all(Archive))
    @happening(which=some, held=members, lies=st.booleans())
    def edit_archive(self, which: int, held: dict[str, int], *, lies: bool) -> None:
        path, archive = self._file(which, Archive)
        edited = archive_of(held, archive.mtime_ns if lies else self.disk.tick())
        edited.locked = archive.locked
        self.disk.write(path, edited)

    @precondition(lambda self: self.disk.mounted and self.disk.all(Archive))
    @happening(which=some, told=st.booleans())
    def corrupt(self, which: int, *, told: bool) -> None:
        """Its end is zeroes; only a `told` one has another time."""
        path, archive = self._file(which, Archive)
        damaged = broken(archive)
        damaged.mtime_ns = self.disk.tick() if told else archive.mtime_ns
        self.disk.write(path, damaged)

    @precondition(lambda self: self.disk.mounted and self.disk.all((Image, Archive)))
    @happening(which=some)
    def touch(self, which: int) -> None:
        found = self.disk.all((Image, Archive))
        path = found[which % len(found)]
        file = self.disk.at(path)
        assert isinstance(file, Image | Archive)
        file.mtime_ns = self.disk.tick()
        self.disk.write(path, file)

    @precondition(lambda self: self.disk.mounted)
    @happening(which=some, at=st.integers(0, 3))
    def set_folder_back(self, which: int, at: int) -> None:
        os.utime(self.disk.real(self._folder(which)), (at, at))

    @precondition(lambda self: self.disk.mounted)
    @happening(folder=some, text=st.one_of(lines, st.sampled_from((BAD_TEXT, NO_TEXT))))
    def ignore(self, folder: int, text: tuple[str, ...] | bytes) -> None:
        content = text if isinstance(text, bytes) else "\n".join(text).encode()
        self.disk.write(join(self._folder(folder), IGNORE_FILE), Text(content, self.disk.tick()))

    @precondition(lambda self: self.disk.mounted and self._movable())
    @happening(which=some, folder=some, name=some)
    def move(self, which: int, folder: int, name: int) -> None:
        """To another folder, or under another name, or both."""
        path, to = self._any(which), self._folder(folder)
        node = self.disk.at(path)
        if isinstance(node, Folder):
            called = FOLDER_NAMES[name % len(FOLDER_NAMES)]
        elif isinstance(node, Image):
            called = IMAGE_NAMES[name % len(IMAGE_NAMES)]
        else:
            called = path.rpartition("/")[2] if isinstance(node, Text) else ARCHIVE_NAMES[name % len(ARCHIVE_NAMES)]
        further = join(to, called)
        if not self.disk.at(further) and not f"{to}/".startswith(f"{path}/"):
            self.disk.move(path, further)

    @precondition(lambda self: self.disk.mounted and self._movable())
    @happening(which=some, folder=some, name=some)
    def copy(self, which: int, folder: int, name: int) -> None:
        """With its times, as `cp -a` does."""
        path, to = self._any(which), self._folder(folder)
        called = FOLDER_NAMES[name % len(FOLDER_NAMES)]
        if not isinstance(self.disk.at(path), Folder):
            called = path.rpartition("/")[2]
        further = join(to, called)
        if not self.disk.at(further) and not f"{to}/".startswith(f"{path}/") and further.count("/") < 3:
            self.disk.copy(path, further)

    @precondition(lambda self: self.disk.mounted and self._movable())
    @happening(which=some)
    def delete(self, which: int) -> None:
        self.disk.take_away(self._any(which))

    @precondition(lambda self: self.disk.mounted and self.disk.tree.entries)
    @happening(but=st.integers(0, 3))
    def lose_many(self, but: int) -> None:
        """All that lies at the top but for so many."""
        for name in sorted(self.disk.tree.entries)[but:]:
            self.disk.take_away(name)

    @precondition(lambda self: self.disk.mounted and self.disk.shelf)
    @happening()
    def put_all_back(self) -> None:
        for number in reversed(range(len(self.disk.shelf))):
            self.disk.put_back(number)

    @precondition(lambda self: self.disk.mounted and self.disk.shelf)
    @happening(which=some)
    def put_back(self, which: int) -> None:
        self.disk.put_back(which % len(self.disk.shelf))

    @precondition(lambda self: self.disk.mounted and self._lockable())
    @happening(which=some, locked=st.booleans())
    def lock(self, which: int, *, locked: bool) -> None:
        found = self._lockable()
        self.disk.lock(found[which % len(found)], locked=locked)

    @happening(tree=st.sampled_from(("home", "home", "spare", None)))
    def mount(self, tree: str | None) -> None:
        """The disk, another one in its place, or none. They are told apart."""
        self.disk.mount(tree)

    @precondition(lambda self: self.disk.mounted)
    @happening()
    def copy_to_a_new_disk(self) -> None:
        assert self.disk.mounted
        self.disk.number[self.disk.mounted] = max(self.disk.number.values()) + 1

    def _file(self, which: int, kind: type[K]) -> tuple[str, K]:
        found = self.disk.all(kind)
        path = found[which % len(found)]
        node = self.disk.at(path)
        assert isinstance(node, kind)
        return path, node

    def _movable(self) -> list[str]:
        return [path for path in self.disk.all((Image, Archive, Text, Folder)) if path]

    def _lockable(self) -> list[str]:
        return [path for path in self.disk.all((Archive, Folder)) if path]

    def _any(self, which: int) -> str:
        found = self._movable()
        return found[which % len(found)]


def locked(path: bytes) -> bool:
    """In the library that is tried at the moment."""
    return bool(CURRENT) and CURRENT[-1].is_locked(path)
