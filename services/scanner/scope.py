"""What of a tree a library's settings, and the ignore files in it, let a scan see. Pure."""

from collections.abc import Sequence

from linstock.messages.library import ARCHIVE_EXTENSIONS, DEFAULT_EXTENSIONS, IMAGE_EXTENSIONS
from linstock.patterns import Patterns, with_parents
from services.scanner.ignores import Ignores

IMAGE_SUFFIXES = tuple(extension.encode() for extension in IMAGE_EXTENSIONS)
ARCHIVE_SUFFIXES = tuple(extension.encode() for extension in ARCHIVE_EXTENSIONS)
FOLDER = "folder"
ARCHIVE = "archive"


class Scope:
    """`images` and `archives` are the suffixes, in lower case, of what is looked at; `narrows` says whether anything is
    left out that another library would have; scopes of the same `text` see the same, but for what `ignores` leave out:
    the walk adds to them as it goes. What the library's patterns leave out, no ignore file brings back."""

    def __init__(
        self,
        *,
        include_subfolders: bool = True,
        exclude_patterns: Sequence[str] = (),
        extensions: Sequence[str] = DEFAULT_EXTENSIONS,
    ) -> None:
        chosen = {extension.encode() for extension in extensions}
        self.include_subfolders = include_subfolders
        self.images = tuple(suffix for suffix in IMAGE_SUFFIXES if suffix in chosen)
        self.archives = tuple(suffix for suffix in ARCHIVE_SUFFIXES if suffix in chosen)
        self.text = repr((include_subfolders, tuple(exclude_patterns), self.images, self.archives))
        self._excluded = Patterns(exclude_patterns) if exclude_patterns else None
        self.ignores = Ignores()
        every = (len(self.images), len(self.archives)) == (len(IMAGE_SUFFIXES), len(ARCHIVE_SUFFIXES))
        self._narrows = not (include_subfolders and every and self._excluded is None)

    @property
    def narrows(self) -> bool:
        return self._narrows or bool(self.ignores)

    def excludes_folder(self, path: bytes) -> bool:
        """Whether the patterns match this folder itself; what is below an excluded one is not looked at."""
        return self._excludes(path + b"/")

    def excludes_file(self, path: bytes) -> bool:
        """Whether the patterns match this file itself."""
        return self._excludes(path)

    def leaves_out_image(self, path: bytes) -> bool:
        """An image in a folder that is looked at."""
        return not path.lower().endswith(self.images) or self.excludes_file(path)

    def leaves_out_archive(self, path: bytes) -> bool:
        """An archive in a folder that is looked at."""
        return not path.lower().endswith(self.archives) or self.excludes_file(path)

    def leaves_out_member(self, name: bytes) -> bool:
        """An image in an archive that is looked at: patterns speak of what is on disk."""
        return not name.lower().endswith(self.images)

    def looks_into(self, folder: bytes) -> bool:
        """Whether a folder is looked at, wherever in its path a reason not to is."""
        if folder and not self.include_subfolders:
            return False
        if self._excluded is None and not self.ignores:
            return True
        return not any(map(self.excludes_folder, with_parents(folder)))

    def _excludes(self, entry: bytes) -> bool:
        if self._excluded is not None and self._excluded.match(entry):
            return True
        return bool(self.ignores) and self.ignores.match(entry)

    def leaves_out(self, kind: str, path: bytes) -> bool:
        """A collection that is not looked at, wherever in its path the reason is. (One that is looked at may still
        turn out to have nothing but images that are left out.)"""
        if kind == ARCHIVE and self.leaves_out_archive(path):
            return True
        if kind == FOLDER and not self.images:
            return True
        return not self.looks_into(path if kind == FOLDER else path.rpartition(b"/")[0])
