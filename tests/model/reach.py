"""Which part of a library a scan is to look at."""

import os

from msgspec import Struct

from linstock.messages.library import DEFAULT_EXTENSIONS
from tests.model.catalogue import Key
from tests.model.disk import Archive, Disk, Image, Text
from tests.model.wishes import FOLDER, parents


class Reach(Struct, frozen=True):
    """Folders, each with what lies below it (True) or alone."""

    stretches: tuple[tuple[str, bool], ...] = (("", True),)

    @property
    def whole(self) -> bool:
        return self.stretches == (("", True),)

    def holds(self, key: Key) -> bool:
        kind, path = key
        folder = path if kind == FOLDER else path.rpartition("/")[0]
        return any(folder == top or (below and top in parents(folder)) for top, below in self.stretches)


def reach_of(disk: Disk, paths: list[str]) -> Reach:
    """A folder means all below it, a file (or what is named like one and is gone) the folder that it is in."""
    wanted = set[tuple[str, bool]]()
    for path in paths:
        node = disk.at(path)
        is_file = isinstance(node, Image | Archive | Text) or (
            node is None and path.lower().endswith(DEFAULT_EXTENSIONS)
        )
        wanted.add((path.rpartition("/")[0], False) if is_file else (path, True))
    deep = {path for path, below in wanted if below}
    kept = [
        (path, below)
        for path, below in wanted
        if not any(above in deep for above in parents(path)[:-1]) and (below or path not in deep)
    ]
    return Reach(tuple(sorted(kept, key=lambda each: os.fsencode(each[0])))) if kept else Reach()
