"""The data directory: who may use it, where it may lie, which layout it has."""

import json
import os
import re
from pathlib import Path

LAYOUT = 1
"""Raised when an older Linstock could no longer read the directory."""

_NETWORK_TYPES = {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "fuse", "fuseblk"}


class NetworkFileSystem(Exception):
    """{path} lies on {kind}, where a database loses data; put it on a local disk: --data-dir /var/lib/linstock (libraries may stay where they are)."""  # noqa: E501

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind
        super().__init__((self.__doc__ or "").format(path=path, kind=kind))


class NewerDataDir(Exception):
    """{path} was written by a newer Linstock ({found}; this one reads {known}): update Linstock, or give another --data-dir."""  # noqa: E501

    def __init__(self, path: Path, found: str, known: str) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__((self.__doc__ or "").format(path=path, found=found, known=known))


class DataDir:
    """Paths inside one data directory. `prepare` makes it, private to its owner, or says why it cannot be used."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.nats = self.root / "nats"
        self.postgres = self.root / "postgres"
        self.logs = self.root / "logs"
        self.lock = self.root / "lock"
        self.state = self.root / "state.json"
        self._layout = self.root / "layout.json"

    def prepare(self) -> None:
        """Raises `NetworkFileSystem`, `NewerDataDir`, or OSError when the directory cannot be made."""
        kind = file_system(self.root)
        if is_network(kind):
            raise NetworkFileSystem(self.root, kind)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_layout()
        self.logs.mkdir(exist_ok=True, mode=0o700)

    def _check_layout(self) -> None:
        if not self._layout.exists():
            write_private(self._layout, json.dumps({"layout": LAYOUT}))
            return
        found = json.loads(self._layout.read_text())["layout"]
        if found > LAYOUT:
            raise NewerDataDir(self.root, f"layout {found}", f"layout {LAYOUT}")


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only from its first byte on."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def is_network(kind: str) -> bool:
    return kind in _NETWORK_TYPES or kind.startswith("fuse.")


def file_system(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that holds `path` (or will hold it); "" where the kernel does not say."""
    if not mountinfo.exists():
        return ""
    wanted = Path(os.path.realpath(path))
    best, kind = -1, ""
    for line in mountinfo.read_text().splitlines():
        mount, _, tail = line.partition(" - ")
        point = Path(_unescape(mount.split(" ")[4]))
        depth = len(point.parts)
        if depth >= best and wanted.is_relative_to(point):  # later lines are mounted over earlier ones
            best, kind = depth, tail.split(" ")[0]
    return kind


def _unescape(text: str) -> str:
    # The kernel writes space, tab, newline and backslash as octal bytes.
    octets = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), text.encode(errors="surrogateescape"))
    return octets.decode(errors="surrogateescape")
