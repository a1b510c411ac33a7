"""Which file system a library's folder is on. Blocks."""

import os
from pathlib import Path


def file_system_of(root: bytes) -> str:
    """Equal for the same folder of the same file system, across restarts of the machine where that numbers its file
    systems itself. Empty: it can't be told (now)."""
    try:
        status = Path(os.fsdecode(root)).stat()
        identity = os.statvfs(root).f_fsid or status.st_dev
    except (OSError, ValueError):
        return ""
    return f"{identity & (2**64 - 1):x}:{status.st_ino:x}"
