"""What a library's settings and ignore files leave out, told once more and plainly: for the few lines that are used."""

import os

from msgspec import Struct

from linstock.messages.library import ARCHIVE_EXTENSIONS, DEFAULT_EXTENSIONS, IMAGE_EXTENSIONS, RemovalGuard
from tests.model.disk import join

LINES = ("*.png", "1.jpg", "a/", "b/", "x.zip")
"""Each names entries, wherever they lie: all of a suffix, a file, or (with a slash) a folder. `!` takes them back."""
BAD_TEXT = b"a\n" * 1001
NO_TEXT = b"# nothing\n"

FOLDER, ARCHIVE = "folder", "archive"


class Wishes(Struct, frozen=True):
    excluded: tuple[str, ...] = ()
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    subfolders: bool = True
    guard: RemovalGuard = RemovalGuard()

    @property
    def look(self) -> object:
        """What decides which files are looked at."""
        return self.excluded, self.images, self.archives, self.subfolders

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(each for each in IMAGE_EXTENSIONS if each in self.extensions)

    @property
    def archives(self) -> tuple[str, ...]:
        return tuple(each for each in ARCHIVE_EXTENSIONS if each in self.extensions)


class Sieve:
    """The wishes, and the ignore files that a scan has come by so far: their lines by folder."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.ignores: dict[str, tuple[str, ...]] = {}

    def read(self, folder: str, text: bytes) -> bool:
        """An ignore file. False: it is none."""
        if text == BAD_TEXT:
            return False
        if lines := tuple(line for line in os.fsdecode(text).split("\n") if line and not line.startswith("#")):
            self.ignores[folder] = lines
        return True

    def said_of(self, folder: str) -> object:
        """All that ignore files say of what is in a folder."""
        return tuple((above, self.ignores[above]) for above in parents(folder) if above in self.ignores)

    def excludes(self, path: str, *, folder: bool) -> bool:
        """This very entry."""
        if _verdict(self.wishes.excluded, path, folder=folder):
            return True
        for above in reversed(parents(path.rpartition("/")[0])):
            verdict = _verdict(self.ignores.get(above, ()), path, folder=folder)
            if verdict is not None:
                return verdict
        return False

    def leaves_out_image(self, path: str) -> bool:
        return not path.lower().endswith(self.wishes.images) or self.excludes(path, folder=False)

    def leaves_out_archive(self, path: str) -> bool:
        return not path.lower().endswith(self.wishes.archives) or self.excludes(path, folder=False)

    def leaves_out_member(self, name: str) -> bool:
        return not name.lower().endswith(self.wishes.images)

    def looks_into(self, folder: str) -> bool:
        if folder and not self.wishes.subfolders:
            return False
        return not any(above and self.excludes(above, folder=True) for above in parents(folder))

    def leaves_out(self, kind: str, path: str) -> bool:
        if kind == ARCHIVE:
            return self.leaves_out_archive(path) or not self.looks_into(path.rpartition("/")[0])
        return not self.wishes.images or not self.looks_into(path)


def parents(folder: str) -> list[str]:
    """From the root down to the folder itself."""
    found = [""]
    for part in folder.split("/") if folder else ():
        found.append(join(found[-1], part))
    return found


def _verdict(lines: tuple[str, ...], path: str, *, folder: bool) -> bool | None:
    name, verdict = path.rpartition("/")[2], None
    for line in lines:
        wanted = line.removeprefix("!")
        matches = (
            folder and name == wanted[:-1]
            if wanted.endswith("/")
            else name.endswith(wanted[1:])
            if wanted.startswith("*")
            else name == wanted
        )
        if matches:
            verdict = not line.startswith("!")
    return verdict
