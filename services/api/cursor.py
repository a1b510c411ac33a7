"""Places in the feed of events. Pure.

`library.3f2a91c0:12,scheduler.88d0e1b7:900` stands between events: everything up to and including these positions comes
before it, everything else after it; a log that is not named lies after it as a whole. `start` comes before everything.
The eight digits are of the log's epoch: after a restore positions mean something else.
"""

import re
from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from services.api.problems import Problem

START = "start"
MOST_LOGS = 32
LONGEST = 4096

_ONE = r"[a-z][a-z0-9-]{0,63}\.[0-9a-f]{8}:[0-9]{1,18}"
PATTERN = rf"^({START}|{_ONE}(,{_ONE}){{0,{MOST_LOGS - 1}}})$"
_WRITTEN = re.compile(PATTERN, re.ASCII)


class Reset(Exception):
    """The cursor's place is no more: start over, without a cursor."""

    def __init__(self, log: str, reason: str) -> None:
        super().__init__(f"{self.__doc__} {log}: {reason}")
        self.log, self.reason = log, reason


class Place(Struct, frozen=True):
    epoch: str
    position: int


class Stand(Struct, frozen=True):
    """How far a log is projected, and up to where its events have been forgotten."""

    epoch: UUID
    position: int
    floor: int

    @property
    def digits(self) -> str:
        return self.epoch.hex[:8]


class Cursor(Struct, frozen=True):
    places: Mapping[str, Place]

    def __str__(self) -> str:
        written = (f"{log}.{place.epoch}:{place.position}" for log, place in sorted(self.places.items()))
        return ",".join(written) or START

    def at(self, log: str) -> int:
        place = self.places.get(log)
        return place.position if place else 0

    def moved(self, log: str, towards: "Cursor", position: int) -> "Cursor":
        """In `log`, which `towards` names, to `position`."""
        return Cursor({**self.places, log: Place(towards.places[log].epoch, position)})

    def check(self, stands: Mapping[str, Stand], *, back: bool = False) -> None:
        """Raises Reset when going on from here would repeat or miss events. A log that is not projected (yet, again)
        says nothing."""
        for log, place in self.places.items():
            stand = stands.get(log)
            if stand is None:
                continue
            if stand.digits != place.epoch:
                raise Reset(log, "the log was replaced, positions start anew")
            if place.position < stand.floor and not back:
                raise Reset(log, f"events up to {stand.floor} are no longer kept here")


BEGINNING = Cursor({})


def parse(written: str) -> Cursor:
    """Raises Problem 400."""
    if len(written) > LONGEST or not _WRITTEN.fullmatch(written):
        raise _malformed()
    if written == START:
        return BEGINNING
    places = {}
    for part in written.split(","):
        log, _, place = part.partition(".")
        epoch, _, position = place.partition(":")
        if log in places:
            raise _malformed()
        places[log] = Place(epoch, int(position))
    return Cursor(places)


def _malformed() -> Problem:
    return Problem(400, "malformed-cursor", "A cursor is what `next` said, or the id of an event on the stream.")


def now(stands: Mapping[str, Stand]) -> Cursor:
    return Cursor({log: Place(stand.digits, stand.position) for log, stand in stands.items()})
