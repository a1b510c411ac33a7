"""What exclude patterns would leave out, over HTTP."""

from typing import Annotated

from services.api.dto.libraries import Patterns
from services.api.dto.wire import Body, Wire, whole_number


class PreviewExclusionsBody(Body, frozen=True):
    """`limit`: how many paths are shown of each pattern."""

    patterns: Patterns
    limit: Annotated[float, whole_number(0, 100, "So many paths of each pattern")] = 10


class PatternPreviewDto(Wire):
    """What one pattern would leave out by itself, and the first paths of it. `warning` is a sentence."""

    pattern: str
    collections: int
    images: int
    paths: list[str]
    warning: str | None


class ExclusionsPreviewDto(Wire):
    """`collections` and `images` are what all patterns together would leave out, of `ofCollections` and `ofImages` that
    are in the catalogue. A collection counts when nothing is left of it. `approximate`: there was too much to look at;
    the figures are of the part that was, and the true ones are at least as high."""

    patterns: list[PatternPreviewDto]
    collections: int
    images: int
    of_collections: int
    of_images: int
    approximate: bool
