"""Studies one collection: which of its images were not read yet, what they are, and which of them is its cover."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from linstock.messages.enrichment import Cover, EnrichedCollection, ImageFact, QuarantinedFile
from linstock.roots import Bounds
from services.scanner.enrichment import words
from services.scanner.enrichment.known import Enriched, Entry, KnownImages, name_of
from services.scanner.enrichment.limits import MOST_ENTRIES
from services.scanner.enrichment.pages import Studied
from services.scanner.enrichment.reader import Reader
from services.scanner.enrichment.words import Drawn, File, Looked, Place
from services.scanner.images import Images, displayed
from services.scanner.index import Index
from services.scanner.scope import ARCHIVE

LOOK_AT_ONCE = 100
COVERS_TRIED = 8
COVER_STEMS = (b"cover", b"folder", b"front")
NO_VALID_IMAGE = "no_valid_image"
BROKEN_ARCHIVE = "broken_archive"
TOO_LARGE = "too_large"
EMPTY = Looked(code="empty", message="The file is empty.")

Keep = Callable[[str, Mapping[int, bytes]], Awaitable[None]]
"""Stores thumbnails under a hash, if it can."""


Over = Callable[[], bool]
"""Whether the job was closed elsewhere, or the worker stops."""


class Ended(Exception):
    """The job is over: nothing more is read or recorded."""


class PassedOver(Exception):
    """It can't be read now, through no fault of its own."""


class Study:
    """Of one collection, as the catalogue has it. `has` says whether the thumbnails of a hash are there."""

    def __init__(
        self,
        entry: Entry,
        place: Place,
        *,
        reader: Reader,
        keep: Keep,
        has: Callable[[str], Awaitable[bool]],
        over: Over,
    ) -> None:
        self._entry = entry
        self._place = place
        self._reader = reader
        self._keep = keep
        self._has = has
        self._over = over
        self._found: dict[bytes, ImageFact] = {}
        self._quarantined: dict[bytes, QuarantinedFile] = {}
        self._archive_flaw: QuarantinedFile | None = None
        self._gone = 0

    async def run(self, index: Index, known: KnownImages) -> Studied:
        """Raises PassedOver, Ended, and what the reader and the database raise."""
        before = await known.enriched(self._entry.collection_id)
        images = (await index.images([self._entry.collection_id]))[self._entry.collection_id]
        if self._entry.kind == ARCHIVE and len(images) > MOST_ENTRIES:
            # Before each of them is judged by itself: empty ones need no look, and there may be any number.
            said = f"It holds {len(images):,} images; at most {MOST_ENTRIES:,} entries are read."
            return self._broken(self._of_archive(Looked(code="too_many_entries", message=said)))
        # An archive of another time may hold other bytes under names, sizes and times that are the same.
        anew = self._entry.kind == ARCHIVE and before is not None and before.mtime_ns != self._entry.mtime_ns
        looked = {} if anew else await known.images(self._entry.collection_id)
        await self._look(images, looked)
        if self._archive_flaw:
            return self._broken(self._archive_flaw)
        valid, flawed = self._sorted(images, looked)
        if self._gone and not valid:
            raise PassedOver("None of its images is there.")
        cover, no_cover = await self._cover(valid, None if anew else before)
        entry = EnrichedCollection(
            collection_id=self._entry.collection_id,
            digest=self._entry.digest,
            mtime_ns=self._entry.mtime_ns,
            images=tuple(self._found[name] for name in sorted(self._found)),
            image_count=len(valid),
            flawed=flawed + len(self._quarantined),
            cover=cover,
            no_cover=no_cover,
        )
        return Studied(entry=entry, quarantined=tuple(self._quarantined.values()))

    async def _look(self, images: Images, looked: Mapping[bytes, ImageFact]) -> None:
        unread = []
        for file in _files(images):
            if _is_of(looked.get(file.name), file):
                continue
            if file.size_bytes:
                unread.append(file)
            else:
                self._quarantine(file, EMPTY)
        for start in range(0, len(unread), LOOK_AT_ONCE):
            if self._over():
                raise Ended
            files = unread[start : start + LOOK_AT_ONCE]
            for file, seen in zip(files, await self._reader.look(self._place, files), strict=True):
                if seen.archive:
                    self._archive_flaw = self._of_archive(seen)
                    return
                self._note(file, seen)

    def _note(self, file: File, seen: Looked) -> None:
        if seen.code in (words.GONE, words.CHANGED) and self._place.archive is None:
            self._gone += 1  # the next scan will say so
            return
        if seen.code in words.TRANSIENT:
            raise PassedOver(seen.message)
        if seen.code:
            self._quarantine(file, seen)
            return
        name, raw = displayed(file.name)
        self._found[file.name] = ImageFact(
            name, file.size_bytes, file.mtime_ns, raw, width=seen.width, height=seen.height
        )

    def _quarantine(self, file: File, seen: Looked) -> None:
        self._found.pop(file.name, None)
        self._quarantined[file.name] = _flaw(file, seen)

    def _of_archive(self, seen: Looked) -> QuarantinedFile:
        return _flaw(File(b"", self._entry.size_bytes, self._entry.mtime_ns), seen)

    def _broken(self, flaw: QuarantinedFile) -> Studied:
        entry = EnrichedCollection(
            collection_id=self._entry.collection_id,
            digest=self._entry.digest,
            mtime_ns=self._entry.mtime_ns,
            images=(),
            flawed=1,
            no_cover=BROKEN_ARCHIVE,
        )
        return Studied(entry=entry, quarantined=(flaw,))

    def _sorted(self, images: Images, looked: Mapping[bytes, ImageFact]) -> tuple[dict[bytes, ImageFact], int]:
        """Valid images by name, and how many older ones are in quarantine."""
        valid, flawed = dict(self._found), 0
        for file in _files(images):
            fact = looked.get(file.name)
            if fact is None or not _is_of(fact, file):
                continue
            if fact.width:
                valid[file.name] = fact
            else:
                flawed += 1
        return valid, flawed

    async def _cover(self, valid: dict[bytes, ImageFact], before: Enriched | None) -> tuple[Cover | None, str]:
        too_large = False
        for name in sorted(valid, key=_as_cover)[:COVERS_TRIED]:
            fact = valid[name]
            file = File(name, fact.size_bytes, fact.mtime_ns)
            if before and before.cover and _is_file_of(before.cover, file) and await self._has(before.cover.hash):
                return before.cover, ""
            drawn = await self._reader.draw(self._place, file)
            if drawn.looked.code in words.TRANSIENT:
                raise PassedOver(drawn.looked.message)
            if drawn.looked.code:
                self._quarantine(file, drawn.looked)
                del valid[name]
            elif not drawn.made:
                too_large = True
            else:
                await self._keep(drawn.hash, drawn.made)
                return _cover_of(file, drawn), ""
        return None, TOO_LARGE if too_large else NO_VALID_IMAGE


def place_of(root: bytes, entry: Entry, bounds: Bounds) -> Place:
    stamp = (entry.size_bytes, entry.mtime_ns) if entry.kind == ARCHIVE else None
    return Place(root, entry.path, stamp, bounds.real_roots)


def _cover_of(file: File, drawn: Drawn) -> Cover:
    name, raw = displayed(file.name)
    return Cover(
        name=name,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        hash=drawn.hash,
        width=drawn.looked.width,
        height=drawn.looked.height,
        name_bytes=raw,
    )


def _flaw(file: File, seen: Looked) -> QuarantinedFile:
    name, raw = displayed(file.name)
    return QuarantinedFile(
        name=name,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        code=seen.code,
        message=seen.message,
        name_bytes=raw,
    )


def _files(images: Images) -> Iterator[File]:
    return (File(*row) for row in zip(images.names, images.sizes, images.mtimes, strict=True))


def _is_of(fact: ImageFact | None, file: File) -> bool:
    return fact is not None and (fact.size_bytes, fact.mtime_ns) == (file.size_bytes, file.mtime_ns)


def _is_file_of(cover: Cover, file: File) -> bool:
    return (name_of(cover), cover.size_bytes, cover.mtime_ns) == (file.name, file.size_bytes, file.mtime_ns)


def _as_cover(name: bytes) -> tuple[bool, bytes]:
    """One that is called so is the cover, else the first."""
    stem = name.rpartition(b"/")[2].partition(b".")[0].lower()
    return stem not in COVER_STEMS, name
