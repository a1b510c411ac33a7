"""All schedules, most of them packed: as objects a million of them take 2.5 GB, packed a fifth of that.

Packed is deflated JSON, with the JSON of a typical schedule as the dictionary: what is the same in both takes no room.
"""

import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from linstock import names
from linstock.messages.rules import Rules, Timing
from linstock.messages.schedule import JobPolicy, ScanTarget
from services.scheduler.known import KnownSchedule
from services.scheduler.schedule import Enabled

OBJECTS = 20_000  # as many that changed last are not packed

_LEVEL, _WINDOW_BITS, _MEMORY = 3, -11, 4  # of the faster ones, what packs best; 8 µs to pack, 6 to unpack
_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_LIBRARY = UUID(int=0)
_TYPICAL = KnownSchedule(
    schedule_id=names.schedule_of(_LIBRARY),
    workspace=names.DEFAULT_WORKSPACE,
    state=Enabled(
        schedule_id=names.schedule_of(_LIBRARY),
        name="Library Scan - ",
        description="Automatic scan for library: ",
        timing=Timing(expression="0 2 * * *", zone="Europe/Berlin"),
        target=ScanTarget(library_id=_LIBRARY, library_name="", library_path="/"),
        policy=JobPolicy(),
        scan_mode="changed",
        library_version=1,
        version=1,
        edition=1,
        cursor=_THEN,
        auto_scan_at=_THEN,
        timing_at=_THEN,
        rules=Rules(),
        runs=0,
    ),
    version=1,
)
_DICTIONARY = msgspec.json.encode(_TYPICAL)
_PACK = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY, zdict=_DICTIONARY)
_UNPACK = zlib.decompressobj(_WINDOW_BITS, zdict=_DICTIONARY)
_DECODER = msgspec.json.Decoder(KnownSchedule)

PACKING = f"{zlib.crc32(_DICTIONARY):08x}"
"""Names the dictionary: what was packed with another can't be unpacked."""


def pack(known: KnownSchedule) -> bytes:
    packing = _PACK.copy()
    return packing.compress(msgspec.json.encode(known)) + packing.flush()


def unpack(packed: bytes) -> KnownSchedule:
    return _DECODER.decode(_UNPACK.copy().decompress(packed))


class Shelf(Mapping[UUID, KnownSchedule]):
    """By id. What is looked up is equal to what was kept, not always the same object."""

    def __init__(self, *, objects: int = OBJECTS) -> None:
        self._kept: dict[UUID, KnownSchedule | bytes] = {}
        self._objects: OrderedDict[UUID, None] = OrderedDict()
        self._most = objects

    def __getitem__(self, schedule_id: UUID) -> KnownSchedule:
        found = self._kept[schedule_id]
        return unpack(found) if isinstance(found, bytes) else found

    def __contains__(self, schedule_id: object) -> bool:
        return schedule_id in self._kept

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, known: KnownSchedule) -> None:
        self._kept[known.schedule_id] = known
        self._objects[known.schedule_id] = None
        self._objects.move_to_end(known.schedule_id)
        if len(self._objects) > self._most:
            oldest, _ = self._objects.popitem(last=False)
            self._kept[oldest] = pack(self[oldest])

    def keep_packed(self, schedule_id: UUID, packed: bytes) -> None:
        """What `stored` gave once."""
        self._kept[schedule_id] = packed
        self._objects.pop(schedule_id, None)

    def stored(self, schedule_id: UUID) -> KnownSchedule | bytes:
        """As it is kept: packed or not."""
        return self._kept[schedule_id]
