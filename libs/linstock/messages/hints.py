"""Hints: what others say has changed in a library, until a scan is asked for because of it. One aggregate per library.

Any number of hints become one scan: of the paths that were named, or of the whole library when they are many.
"""

from datetime import datetime
from uuid import UUID

from linstock.messages.message import Message
from linstock.messages.schedule import ScanPath

# Commands


class HintPaths(Message, frozen=True, tag="HintPaths"):
    """These files or folders were made, changed or removed: 1 to 1,000, each relative to the library's folder."""

    library_id: UUID
    paths: tuple[ScanPath, ...]


# Events


class HintsReceived(Message, frozen=True, tag="linstock.hints.received.v1"):
    """`paths` are those that no hint before, since a scan was asked for, has named: none, if all were."""

    library_id: UUID
    paths: tuple[ScanPath, ...]
    at: datetime


class HintsTaken(Message, frozen=True, tag="linstock.hints.taken.v1"):
    """Appended together with the request of the scan that looks at what they named. `job_id` is None when there is no
    such library any more."""

    library_id: UUID
    job_id: UUID | None
    at: datetime


HintEvent = HintsReceived | HintsTaken
