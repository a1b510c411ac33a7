"""What exclude patterns would leave out of what is in the catalogue. Pure, with the scanner's own matcher."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from linstock.patterns import Patterns, with_parents
from services.api.dto.exclusions import ExclusionsPreviewDto, PatternPreviewDto

FOLDER = "folder"


class Known(Struct, frozen=True):
    """A collection: `path` as bytes, `shown` as text."""

    kind: str
    path: bytes
    shown: str
    images: int


class Sieve:
    """Counts what some lines, taken together, leave out. `paths` are the first of it, as they came."""

    def __init__(self, lines: Sequence[str], limit: int) -> None:
        self.collections = self.images = 0
        self.paths: list[str] = []
        self._patterns = Patterns(lines)
        self._limit = limit
        self._folders: dict[bytes, bool] = {}

    def drops(self, known: Known) -> bool:
        """Whether all of it goes, because of where it is; then it is counted."""
        folder = known.path if known.kind == FOLDER else known.path.rpartition(b"/")[0]
        itself = known.kind != FOLDER and self._patterns.match(known.path)
        if not itself and not any(map(self._drops_folder, with_parents(folder))):
            return False
        self._count(known.images, [known.shown])
        self.collections += 1
        return True

    def drop_images(self, known: Known, names: Iterable[tuple[bytes, str]]) -> None:
        """Of a folder that stays: `names` are all images in it, as bytes and as text."""
        gone = [shown for name, shown in names if self._patterns.match(_below(known.path, name))]
        if gone and len(gone) >= known.images:
            self.collections += 1
        self._count(len(gone), (f"{known.shown}/{name}" if known.shown else name for name in gone))

    def _count(self, images: int, paths: Iterable[str]) -> None:
        self.images += images
        for path in paths:
            if len(self.paths) >= self._limit:
                return
            self.paths.append(path)

    def _drops_folder(self, folder: bytes) -> bool:
        if (found := self._folders.get(folder)) is None:
            found = self._folders[folder] = self._patterns.match(folder + b"/")
        return found


class Sieves:
    """One for each line, and one for all: what several leave out goes once."""

    def __init__(self, lines: Sequence[str], limit: int) -> None:
        self._lines = lines
        self._each = [Sieve([line], limit) for line in lines]
        self._all = Sieve(lines, 0)
        self._collections = self._images = 0

    @property
    def name_files(self) -> bool:
        """Whether a line may match an image itself."""
        return not all(line.rstrip().endswith("/") for line in self._lines)

    def weigh(self, known: Known) -> list[Sieve]:
        """Those that keep it, and so have to look at its images."""
        self._collections += 1
        self._images += known.images
        return [sieve for sieve in (*self._each, self._all) if not sieve.drops(known)]

    def told(self, *, approximate: bool) -> ExclusionsPreviewDto:
        return ExclusionsPreviewDto(
            patterns=[
                PatternPreviewDto(
                    pattern=line,
                    collections=sieve.collections,
                    images=sieve.images,
                    paths=sieve.paths,
                    warning=None if approximate else self._warning(line, sieve),
                )
                for line, sieve in zip(self._lines, self._each, strict=True)
            ],
            collections=self._all.collections,
            images=self._all.images,
            of_collections=self._collections,
            of_images=self._images,
            approximate=approximate,
        )

    def _warning(self, line: str, sieve: Sieve) -> str | None:
        if line.startswith("!"):
            return "It only brings back what a line above it leaves out."
        if not sieve.images and not sieve.collections:
            return "It matches nothing that is in the catalogue."
        if sieve.images == self._images and sieve.collections == self._collections:
            return "It matches everything that is in the catalogue."
        return None


def _below(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
