"""Whether the system tells of what changes below a folder. Blocks.

On a network file system it tells only of what this very machine does; what others do is never heard of.
"""

import os
import re
from pathlib import Path

REMOTE = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "gluster", "lustre", "virtiofs", "vboxsf", "ncpfs")
MOUNTS = Path("/proc/self/mountinfo")
WATCHES = "fs.inotify.max_user_watches"

_ESCAPE = re.compile(r"\\([0-7]{3})")


def file_system(root: bytes, mounts: str | None = None) -> str:
    """The type of the file system that `root` is on, such as ext4 or nfs4; empty where nobody can tell. `mounts` is
    the text of mountinfo."""
    try:
        text = MOUNTS.read_text(errors="surrogateescape") if mounts is None else mounts
    except OSError:
        return ""
    real = os.fsdecode(os.path.realpath(root))
    best, kind = "", ""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def why_not(root: bytes, mounts: str | None = None) -> str:
    """Why inotify does not work there, in a sentence; empty: it does."""
    kind = file_system(root, mounts)
    if kind.startswith(REMOTE):
        return f"The folder is on {kind}, where the system does not tell of what other machines change."
    return ""


def too_many_watches() -> str:
    return (
        f"The system watches no more folders for this user: raise {WATCHES} (sysctl -w {WATCHES}=1048576) to have"
        " changes noticed at once."
    )
