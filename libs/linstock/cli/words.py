"""Values as people read them."""

import unicodedata
from datetime import UTC, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_KEPT = {"\u200c", "\u200d"}  # joiners: Persian and Indic names need them
SHORT_ID = 8


def printable(text: object) -> str:
    """Without what would steer a terminal or hide: control, format and surrogate characters are spelled out."""
    return "".join(
        char if char in _KEPT or unicodedata.category(char) not in _HIDDEN else ascii(char)[1:-1] for char in str(text)
    )


def short(identity: object) -> str:
    """Enough of an id for a person, and for a command that takes a prefix."""
    return str(identity or "-")[:SHORT_ID]


def size(count: float | None) -> str:
    if count is None:
        return "-"
    for unit in _UNITS[:-1]:
        if abs(count) < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def moment(text: str | None) -> str:
    """An RFC 3339 time, in this machine's zone, to the second."""
    if not text:
        return "-"
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(count: float | None) -> str:
    return "-" if count is None else f"{count:,}"


def counted(count: int, noun: str, plural: str = "", *, sign: str = "") -> str:
    """`1 image`, `2 images`; with the sign "+", `+2 images`."""
    return f"{count:{sign},} {noun if count == 1 else plural or noun + 's'}"
