"""Which disk a folder is on, as the kernel tells it."""

import os
from pathlib import Path

from services.scanner.devices import device_of


def blocks(at: Path, number: str, *, partition: bool = False, slaves: tuple[str, ...] = ()) -> Path:
    """A kernel's directory of block devices that knows one device, `sda` or its first partition, or a volume on
    others."""
    disk = at / "devices" / "sda"
    device = disk / "sda1" if partition else disk
    device.mkdir(parents=True)
    if partition:
        (device / "partition").write_text("1\n")
    for name in slaves:
        below = at / "devices" / name
        below.mkdir()
        (device / "slaves").mkdir(exist_ok=True)
        (device / "slaves" / name).symlink_to(below)
    (at / "block").mkdir()
    (at / "block" / number).symlink_to(device)
    return at / "block"


def number_of(path: Path) -> str:
    status = path.stat()
    return f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"


def mounts(at: Path, *lines: str) -> Path:
    file = at / "mountinfo"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def test_partitions_of_one_disk_are_one_device(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    nothing = mounts(tmp_path)
    number = number_of(tmp_path)
    if number.startswith("0:"):  # as in a container: the file system has no block device's number
        nothing = mounts(tmp_path, f"1 1 {number} / / rw - overlay overlay rw")
        assert device_of(root, host="nas", mounts=nothing, blocks=tmp_path) == f"nas/{number}"
        return
    found = device_of(root, host="nas", mounts=nothing, blocks=blocks(tmp_path, number, partition=True))
    assert found == "nas/sda"


def test_each_network_mount_is_a_device(tmp_path: Path) -> None:
    number = number_of(tmp_path)
    told = mounts(
        tmp_path,
        f"1 1 {number} / / rw - ext4 /dev/none rw",
        f"2 1 {number} / {tmp_path} rw shared:1 - nfs4 store:/my\\040photos rw",
    )
    found = device_of(os.fsencode(tmp_path), host="nas", mounts=told, blocks=tmp_path / "nowhere")
    assert found == "nas/nfs4 store:/my photos"


def test_a_folder_that_is_away_is_on_no_device(tmp_path: Path) -> None:
    assert device_of(os.fsencode(tmp_path / "away"), host="nas") == ""
    assert device_of(b"a\0b", host="nas") == ""
