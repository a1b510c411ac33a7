"""`linstock logs`: the end of the log file, and what follows."""

import time
from collections import deque
from pathlib import Path
from typing import TextIO

import click

from linstock.embedded import DataDir

POLL_S = 0.2


def show(data_dir: Path, *, lines: int, follow: bool) -> None:
    path = DataDir(data_dir).logs / "linstock.log"
    if not path.exists():
        raise click.ClickException(f"There is no log yet: {path}")
    file: TextIO = path.open(encoding="utf-8", errors="replace")
    try:
        for line in deque(file, maxlen=lines):
            click.echo(line, nl=False)
        while follow:
            file = _follow(path, file)
    except KeyboardInterrupt:
        return
    finally:
        file.close()


def _follow(path: Path, file: TextIO) -> TextIO:
    """Echo what has arrived; return the file to go on with: a new one after rotation."""
    for line in file:
        click.echo(line, nl=False)
    try:
        rotated = path.stat().st_ino != Path(f"/proc/self/fd/{file.fileno()}").stat().st_ino
    except FileNotFoundError:
        rotated = False  # between the renaming and the new file
    if rotated:
        file.close()
        return path.open(encoding="utf-8", errors="replace")
    time.sleep(POLL_S)
    return file
