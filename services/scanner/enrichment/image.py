"""Looks at one image: how large it is, and whether its bytes are all there. Blocks, and may be expensive: for the
reading process only.

A header is enough for the size, and the end of the file for its being whole. Where one of the two does not do, Pillow
decodes the image and decides.
"""

import struct
import warnings
from io import BytesIO
from typing import BinaryIO

import imagesize
from msgspec import Struct
from PIL import AvifImagePlugin, Image, ImageFile, UnidentifiedImageError, WebPImagePlugin

from services.scanner.enrichment.limits import MOST_DECODED_BYTES, MOST_PIXELS

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF")
HEAD_BYTES = 64 * 1024
TAIL_BYTES = 1024
BYTES_A_PIXEL = 4
TOO_MUCH = "too_much_memory"

Image.preinit()  # the older formats; all plugins there are would take half a second more
assert AvifImagePlugin.SUPPORTED
assert WebPImagePlugin.SUPPORTED
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a stack is memory, too
ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # ours names the limit, and comes first

# A damaged image fails in whatever way its bytes happen to suggest.
DAMAGE = (OSError, SyntaxError, ValueError, struct.error, EOFError, IndexError, KeyError, TypeError, OverflowError,
          ZeroDivisionError, NotImplementedError, RuntimeError, AttributeError)  # fmt: skip


class Flawed(Exception):
    """This file is no image that may be shown."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Excerpt(Struct, frozen=True):
    """An image's first and last bytes, and how many there are."""

    head: bytes
    tail: bytes
    size_bytes: int


def size_of(excerpt: Excerpt) -> tuple[int, int] | None:
    """Width and height as shown, if the ends of the file are enough to tell, and to tell that it is whole. Raises
    Flawed for what is empty or beyond the limit."""
    if not excerpt.size_bytes:
        raise Flawed("empty", "The file is empty.")
    kind = _kind(excerpt.head)
    if kind not in _WHOLE:
        return None
    width, height = imagesize.get(BytesIO(excerpt.head))
    if width <= 0 or height <= 0:
        return None
    refuse_huge(int(width), int(height))
    return (int(width), int(height)) if _WHOLE[kind](excerpt) else None


def decoded_size(file: BinaryIO) -> tuple[int, int]:
    """As `size_of`, after decoding all of it, unless that would take too much memory. Raises Flawed."""
    with opened(file) as image:
        size = shown_size(image)
        if decodable(image):
            loaded(image)
        return size


def opened(file: BinaryIO) -> Image.Image:
    """Raises Flawed: not an image, damaged at its beginning, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unidentified(file) from error
    except MemoryError as error:
        raise _too_much() from error
    except DAMAGE as error:
        raise _corrupt(error) from error
    refuse_huge(*image.size)
    return image


def decodable(image: Image.Image, edge: int = 1) -> bool:
    """Whether its pixels, decoded for a picture of `edge`, fit into memory. May make a JPEG decode itself smaller."""
    if image.format in ("JPEG", "MPO"):
        image.draft(None, (edge, edge))
    width, height = image.size
    return width * height * BYTES_A_PIXEL <= MOST_DECODED_BYTES


def loaded(image: Image.Image) -> None:
    """Decode the first frame. Raises Flawed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
    except MemoryError as error:
        raise _too_much() from error
    except DAMAGE as error:
        raise _corrupt(error) from error


def shown_size(image: Image.Image) -> tuple[int, int]:
    """With the rotation that it asks for."""
    width, height = image.size
    try:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except DAMAGE:
        turned = False
    return (height, width) if turned else (width, height)


def refuse_huge(width: int, height: int) -> None:
    """Raises Flawed."""
    if width * height > MOST_PIXELS:
        text = f"It says that it has {width:,} × {height:,} pixels; at most {MOST_PIXELS:,} are read."
        raise Flawed("too_many_pixels", text)


def _too_much() -> Flawed:
    return Flawed(TOO_MUCH, "Decoding it takes more memory than the reading process may have.")


def _unidentified(file: BinaryIO) -> Flawed:
    file.seek(0)
    if kind := _kind(file.read(HEAD_BYTES)):
        return Flawed("corrupt", f"It begins as {kind} does, and does not go on so.")
    return Flawed("not_an_image", "Nothing in it says that it is an image.")


def _corrupt(error: BaseException) -> Flawed:
    if isinstance(error, OSError) and error.errno is not None:
        raise error  # the disk's fault, not the file's
    return Flawed("corrupt", (str(error) or type(error).__name__)[:300])


def _kind(head: bytes) -> str:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "bmp" if head.startswith(b"BM") else ""


def _jpeg_is_whole(excerpt: Excerpt) -> bool:
    return excerpt.tail.rstrip(b"\0").endswith(b"\xff\xd9")


def _png_is_whole(excerpt: Excerpt) -> bool:
    return excerpt.tail.endswith(b"\0\0\0\0IEND\xaeB`\x82")


def _gif_is_whole(excerpt: Excerpt) -> bool:
    return excerpt.tail.rstrip(b"\0").endswith(b";")


def _webp_is_whole(excerpt: Excerpt) -> bool:
    (size,) = struct.unpack_from("<L", excerpt.head, 4)
    return int(size) + 8 <= excerpt.size_bytes


def _bmp_is_whole(excerpt: Excerpt) -> bool:
    (size,) = struct.unpack_from("<L", excerpt.head, 2)
    return 26 < int(size) <= excerpt.size_bytes


_WHOLE = {
    "jpeg": _jpeg_is_whole,
    "png": _png_is_whole,
    "gif": _gif_is_whole,
    "webp": _webp_is_whole,
    "bmp": _bmp_is_whole,
}
