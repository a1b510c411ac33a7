"""Whether a file begins like an image: what a deep scan asks. Nothing of the picture is decoded. Blocks."""

import os
import stat
import warnings
from io import FileIO

from PIL import Image, UnidentifiedImageError

from linstock.roots import ANYWHERE, Bounds
from services.scanner.opening import open_below

MOST_READ_BYTES = 1024 * 1024
"""Of one image: large previews and colour profiles come before what tells its size."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
_BEGINNING_BYTES = 32


class _Bounded(FileIO):
    """A damaged header may name any length."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, MOST_READ_BYTES - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left)) or b""


def flaw(root: bytes, path: bytes, bounds: Bounds = ANYWHERE) -> str | None:
    """What is wrong with the header of the image `path` below `root`, a sentence; None: nothing. Raises OSError when
    the file can't be read."""
    with _Bounded(open_below(root, path, os.O_RDONLY | os.O_NONBLOCK, bounds)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return "It is not a regular file any more."
        beginning = file.read(_BEGINNING_BYTES)
        if not beginning:
            return "It is empty."
        if _is_webp_or_avif(beginning):
            return None
        file.seek(0)
        return _flaw_of(file)


def _is_webp_or_avif(beginning: bytes) -> bool:
    """By their first bytes: Pillow would read the whole file to say more."""
    webp = beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"
    return webp or (beginning[4:8] == b"ftyp" and (b"avif" in beginning or b"avis" in beginning))


def _flaw_of(file: FileIO) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that only matter to whoever decodes
            with Image.open(file, formats=_FORMATS):
                return None
    except UnidentifiedImageError:
        return "Its first bytes are no image's."
    except Exception as error:
        return f"Its header can't be read: {str(error) or type(error).__name__}."
