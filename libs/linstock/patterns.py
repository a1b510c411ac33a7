"""Lines of a .gitignore, matched as git does: level by level, and of the lines that match an entry the last one counts.

pathspec translates the lines. It does not match with them here for two reasons. A pattern comes from outside, and one
with many stars would hold Python's `re`, and with it the whole process, for hours; RE2 takes linear time, whatever the
pattern. And pathspec judges a file by its whole path at once, where a line that re-includes a folder (`!a`) also
re-includes what another line excludes below it.
"""

import re
from collections.abc import Sequence

import re2
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_ANYTHING = "."  # how pathspec writes `*` and `**`, which it only searches for
_ANY_FOLDER = "(?P<ps_d>/)"


class Patterns:
    """Compiled once. Raises ValueError for what is no line of a .gitignore."""

    def __init__(self, lines: Sequence[str]) -> None:
        options = re2.Options()
        options.never_capture = True
        options.dot_nl = True
        options.log_errors = False
        self._excludes: list[bool] = []
        self._set = re2.Set.FullMatchSet(options)
        for line in lines:
            pattern = GitIgnoreSpecPattern(line)
            if pattern.include is None:  # a comment, or empty
                continue
            assert pattern.regex is not None
            self._set.Add(_whole(pattern.regex.pattern))
            self._excludes.append(pattern.include)
        self._set.Compile()

    def match(self, path: bytes) -> bool:
        """Whether this very entry is excluded; a folder's path ends with a slash. What is below an excluded folder is
        not asked for. A byte that is not UTF-8 counts as one character."""
        return self.verdict(path) is True

    def verdict(self, path: bytes) -> bool | None:
        """Of an entry as in `match`: excluded (True), expressly not (False), or not spoken of (None)."""
        if not self._excludes:
            return None
        matching = self._set.Match(path.decode(errors="replace"))
        return self._excludes[max(matching)] if matching else None

    def reaches(self, path: bytes) -> bool:
        """Whether this entry, or a folder that it lies in, is excluded. Every entry of a tree that is walked from its
        root."""
        folder = path.removesuffix(b"/").rpartition(b"/")[0]
        return self.match(path) or any(self.match(above + b"/") for above in with_parents(folder))


def flaw(line: str) -> str | None:
    """Why this is no line to match with, as a sentence's end; None: it is one."""
    if not line.strip():
        return "it is empty"
    try:
        Patterns([line])
    except (ValueError, re.error, re2.error) as error:
        return f"{line} is no line of a .gitignore: {error}"
    return None


def with_parents(folder: bytes) -> list[bytes]:
    """b"a/b" is b"a" and b"a/b"; the root has none."""
    parts = folder.split(b"/") if folder else []
    return [b"/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _whole(regex: str) -> str:
    """The same expression, matching from the beginning to the end of an entry's path and not of a parent's."""
    if regex == _ANYTHING:
        return ".+"
    if regex == _ANY_FOLDER:
        return ".*/"
    return f"{regex}.+" if regex.endswith("/") else regex  # `a/**` is what is in a
