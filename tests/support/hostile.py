"""Trees and files that nobody would make on purpose."""

import os
import socket
import stat
import struct
import zipfile
from pathlib import Path

LONGEST_NAME = "n" * 255


def put_deep(root: Path, *, folders: int, name: bytes, image: bytes) -> bytes:
    """`folders` folders called `name` inside each other, the last of which holds an empty `image`; its path below
    `root`. Made step by step, because the whole path may be longer than the kernel takes."""
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(folders):
        os.mkdir(name, dir_fd=at)
        further = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = further
    os.close(os.open(image, os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    return b"/".join([name] * folders)


def put_archive_below(root: Path, path: bytes, name: bytes, content: bytes) -> None:
    """A file in a folder that is too deep for its path to be used."""
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for part in path.split(b"/"):
        further = os.open(part, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = further
    file = os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=at)
    os.write(file, content)
    os.close(file)
    os.close(at)


def put_specials(folder: Path) -> int:
    """A pipe, a socket and (when root runs this) a device, all named as images and archives; how many."""
    os.mkfifo(folder / "pipe.jpg")
    before = Path.cwd()
    os.chdir(folder)  # a socket's path is at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.zip")
    finally:
        os.chdir(before)
    try:
        os.mknod(folder / "device.png", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        return 2
    return 3


def put_encrypted_archive(path: Path, *names: str) -> None:
    """Marked as encrypted, entry by entry: its directory is readable, its content is not."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"\0" * 32)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            (before,) = struct.unpack_from("<H", content, at + flags)
            struct.pack_into("<H", content, at + flags, before | 1)
            at = content.find(signature, at + 4)
    path.write_bytes(content)


def put_bomb(path: Path, *, images: int) -> None:
    """Every image says that it is 4 GB, in a few bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(images):
            archive.writestr(f"{number}.png", b"")
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<L", content, at + 24, 0xFFFFFFFE)
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(content)


def put_huge_directory(path: Path) -> None:
    """Its end record says that the directory before it has a gigabyte; the file (sparse) is as large."""
    size = 1024**3
    with path.open("wb") as file:
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0))
