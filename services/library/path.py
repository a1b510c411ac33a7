"""Who has a folder. Pure. One library at most, however many ask at once: its event and the library's are one append."""

from typing import assert_never
from uuid import UUID

from msgspec import Struct

from linstock.messages.path import PathEvent, PathReleased, PathTaken


class Free(Struct, frozen=True, tag="free"):
    pass


class Taken(Struct, frozen=True, tag="taken"):
    library_id: UUID


Path = Free | Taken


class PathIsTaken(Exception):
    """Another library has this folder."""

    def __init__(self, library_id: UUID) -> None:
        super().__init__(f"{self.__doc__} {library_id}")
        self.library_id = library_id


def initial() -> Path:
    return Free()


def evolve(_: Path, event: PathEvent) -> Path:
    match event:
        case PathTaken(library_id=library_id):
            return Taken(library_id=library_id)
        case PathReleased():
            return Free()
        case _:
            assert_never(event)


def take(state: Path, path: str, library_id: UUID) -> list[PathEvent]:
    """Raises PathIsTaken."""
    match state:
        case Free():
            return [PathTaken(path=path, library_id=library_id)]
        case Taken(library_id=holder):
            if holder != library_id:
                raise PathIsTaken(holder)
            return []
        case _:
            assert_never(state)


def release(state: Path, path: str, library_id: UUID) -> list[PathEvent]:
    """Nothing when somebody else has it: a library from before folders were taken never took its own."""
    held = isinstance(state, Taken) and state.library_id == library_id
    return [PathReleased(path=path, library_id=library_id)] if held else []
