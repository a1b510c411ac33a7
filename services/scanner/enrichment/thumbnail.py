"""Makes the thumbnails of a cover. For the reading process only."""

import hashlib
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from linstock.messages.enrichment import LARGEST_THUMBNAIL_BYTES, THUMBNAIL_SIZES
from services.scanner.enrichment.image import DAMAGE, TOO_MUCH, Flawed, decodable, loaded, opened, shown_size

QUALITY = 80
READ_BYTES = 1024 * 1024


class TooLarge(Exception):
    """It is an image, and no cover: decoding it would take too much memory."""


def hash_of(file: BinaryIO) -> str:
    """SHA-256 of all of it, in hex."""
    digest = hashlib.sha256()
    file.seek(0)
    while part := file.read(READ_BYTES):
        digest.update(part)
    file.seek(0)
    return digest.hexdigest()


def thumbnails(file: BinaryIO) -> tuple[tuple[int, int], dict[int, bytes]]:
    """The image's own size as shown, and its first frame as WebP by the pixels of its longest side; none is larger than
    the image. Raises Flawed, TooLarge."""
    with opened(file) as image:
        size = shown_size(image)
        if not decodable(image, max(THUMBNAIL_SIZES)):
            raise TooLarge
        try:
            loaded(image)
            made: dict[int, bytes] = {}
            smaller = _plain(image)
            for edge in sorted(THUMBNAIL_SIZES, reverse=True):
                smaller.thumbnail((edge, edge), Image.Resampling.LANCZOS)
                made[edge] = _webp(smaller)
        except MemoryError as error:
            raise TooLarge from error
        except Flawed as flaw:
            if flaw.code == TOO_MUCH:
                raise TooLarge from flaw
            raise
        except DAMAGE as error:
            raise Flawed("corrupt", (str(error) or type(error).__name__)[:300]) from error
    return size, made


def _plain(image: Image.Image) -> Image.Image:
    """RGB or RGBA, upright, not larger than is needed."""
    edge = 2 * max(THUMBNAIL_SIZES)
    if image.mode.startswith("I") or image.mode == "F":
        image = _of_8_bits(image)
    if max(image.size) > edge and image.mode in ("RGB", "RGBA", "L", "CMYK", "YCbCr"):
        image.thumbnail((edge, edge), Image.Resampling.BOX)  # in place of a copy in full
    image = ImageOps.exif_transpose(image)
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Gray in 16 bits: the upper 8."""
    if image.mode != "F":
        image = image.convert("I")
    return image.point(lambda value: value * (1 / 256)).convert("L")


def _webp(image: Image.Image) -> bytes:
    encoded = BytesIO()
    image.save(encoded, "WEBP", quality=QUALITY, method=4)
    if encoded.tell() > LARGEST_THUMBNAIL_BYTES:
        # Transparency is kept without loss: of noise, it alone takes more than that.
        return _webp(image.convert("RGB"))
    return encoded.getvalue()
