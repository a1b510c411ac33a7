"""What the .linstockignore files of a tree say, as far as a walk has come. Pure.

Each speaks of what lies below its folder, as a .gitignore does: of the lines that match an entry the last one of the
deepest file counts.
"""

import re
from hashlib import blake2b

import re2

from linstock.patterns import Patterns, flaw, with_parents

NAME = ".linstockignore"
LIMIT_BYTES = 64 * 1024
LIMIT_LINES = 1000
LINE_LIMIT_BYTES = 1000


class BadIgnoreFile(Exception):
    """This ignore file does not count:"""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.__doc__} {reason}")
        self.reason = reason


class Ignores:
    """False while there is nothing to ask."""

    def __init__(self) -> None:
        self._patterns: dict[bytes, Patterns] = {}
        self._keys: dict[bytes, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def add(self, folder: bytes, text: bytes) -> None:
        """The file in `folder`, whose parents' were added before. Raises BadIgnoreFile, and then nothing is added."""
        patterns = _patterns(text)
        if patterns is None:
            return
        above = self.key(folder.rpartition(b"/")[0]) if folder else b""
        self._patterns[folder] = patterns
        self._keys[folder] = blake2b(b"\0".join((above, folder, text)), digest_size=8).digest()

    def match(self, entry: bytes) -> bool:
        """Whether this very entry is left out; a folder's path ends with a slash."""
        inner = entry.removesuffix(b"/").rpartition(b"/")[0]
        for folder in (*reversed(with_parents(inner)), b""):
            patterns = self._patterns.get(folder)
            verdict = patterns.verdict(entry[len(folder) + 1 :] if folder else entry) if patterns else None
            if verdict is not None:
                return verdict
        return False

    def key(self, folder: bytes) -> bytes:
        """Where it is the same, the same files speak of what lies in the folder, and say the same."""
        if not self._keys:
            return b""
        found = (self._keys.get(each) for each in (*reversed(with_parents(folder)), b""))
        return next((key for key in found if key), b"")


def _patterns(text: bytes) -> Patterns | None:
    """None: it says nothing."""
    if len(text) > LIMIT_BYTES:
        raise BadIgnoreFile(f"it has more than {LIMIT_BYTES // 1024} KiB.")
    lines = [line.removesuffix(b"\r") for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    if not lines[-1]:
        lines.pop()
    if len(lines) > LIMIT_LINES:
        raise BadIgnoreFile(f"it has more than {LIMIT_LINES} lines.")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_LIMIT_BYTES:
            raise BadIgnoreFile(f"line {number} has more than {LINE_LIMIT_BYTES} bytes.")
    # What is no comment: a file of nothing else costs nothing.
    said = [line for line in lines if line.strip() and not line.startswith(b"#")]
    return _compiled(said) if said else None


def _compiled(lines: list[bytes]) -> Patterns:
    decoded = [line.decode(errors="replace") for line in lines]
    try:
        return Patterns(decoded)
    except (ValueError, re.error, re2.error):
        pass
    for line in decoded:
        if flaw(line):
            raise BadIgnoreFile(f"{line[:100]!r} is no line of a .gitignore.")
    raise BadIgnoreFile("its lines are too much together.")
