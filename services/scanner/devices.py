"""Which physical device a folder is on: scans of one disk slow each other down, those of two do not. Blocks."""

import os
import stat
from pathlib import Path

from msgspec import Struct

MOUNTS = Path("/proc/self/mountinfo")
BLOCK_DEVICES = Path("/sys/dev/block")
MOST_NAMES = 8


class Mount(Struct, frozen=True):
    """`number` is the kernel's MAJOR:MINOR."""

    number: str
    path: bytes
    kind: str
    source: str


def device_of(root: bytes, *, host: str, mounts: Path = MOUNTS, blocks: Path = BLOCK_DEVICES) -> str:
    """The disks below the folder, such as `nas1/sda`, or what is mounted there, such as `nas1/nfs4 store:/photos`: each
    network mount is a device of its own. Empty: it can't be told, as when the folder is away."""
    try:
        number = os.stat(root).st_dev  # noqa: PTH116 - names may be no UTF-8
        mount = _mount(os.path.realpath(root), mounts)
    except (OSError, ValueError):
        return ""
    major_minor = f"{os.major(number)}:{os.minor(number)}"
    if names := _disks(major_minor, blocks):
        return f"{host}/{names}"
    if mount and (names := _disks(_number_of(mount.source), blocks)):
        return f"{host}/{names}"  # such as btrfs, whose numbers are no block device's
    if mount and mount.number == major_minor and (":" in mount.source or mount.source.startswith("//")):
        return f"{host}/{mount.kind} {mount.source}"[:200]
    return f"{host}/{major_minor}"


def _disks(number: str, blocks: Path) -> str:
    """The whole disks that a block device lies on: of a partition, a RAID or an encrypted volume too."""
    if not number or number.startswith("0:"):
        return ""
    try:
        at = (blocks / number).resolve(strict=True)
        return "+".join(sorted(_whole(at))[:MOST_NAMES])
    except OSError:
        return ""


def _whole(device: Path) -> set[str]:
    slaves = device / "slaves"
    below = sorted(slaves.iterdir()) if slaves.is_dir() else []
    if below:
        return {name for each in below for name in _whole(each.resolve())}
    return {device.parent.name if (device / "partition").exists() else device.name}


def _number_of(source: str) -> str:
    if not source.startswith("/dev/"):
        return ""
    try:
        status = Path(source).stat()
    except OSError:
        return ""
    number = status.st_rdev
    return f"{os.major(number)}:{os.minor(number)}" if stat.S_ISBLK(status.st_mode) else ""


def _mount(path: bytes, mounts: Path) -> Mount | None:
    """The last one mounted on the longest beginning of the path."""
    found = None
    for line in mounts.read_bytes().splitlines():
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(b" "), after.split(b" ")
        if len(fields) < 5 or len(kind) < 2:
            continue
        at = fields[4].decode("unicode_escape").encode("latin-1")
        if (path == at or path.startswith(at.rstrip(b"/") + b"/")) and (not found or len(at) >= len(found.path)):
            source = kind[1].decode("unicode_escape", "replace")
            found = Mount(fields[2].decode(), at, kind[0].decode(), source)
    return found
