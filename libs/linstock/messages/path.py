"""Path: who has a folder. One per workspace and path (aggregate id: `names.path_of`), in the same insert as the library
event that takes or leaves it, so that two libraries can never have the same folder."""

from uuid import UUID

from linstock.messages.message import Message


class PathTaken(Message, frozen=True, tag="linstock.path.taken.v1"):
    path: str
    library_id: UUID


class PathReleased(Message, frozen=True, tag="linstock.path.released.v1"):
    path: str
    library_id: UUID


PathEvent = PathTaken | PathReleased
