"""The command `linstock demo`. Light to import: `linstock --help` reads this module."""

from pathlib import Path

import rich_click as click

from linstock.cli.options import examples

DATA_DIR = Path(".linstock-demo")
PORT = 8322


@click.command(epilog=examples("linstock demo", "linstock demo --data-dir /tmp/demo --port 9001"))
@click.option("--data-dir", type=click.Path(path_type=Path), default=DATA_DIR, show_default=True,
              help="Where the demo keeps everything, its pictures too.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
              help="Port of its API; 0 takes any free one.")  # fmt: skip
def demo(data_dir: Path, port: int) -> None:
    """Start a Linstock of its own with a generated library, and show its first scheduled scan.

    About 80 images in nested folders and archives, a broken archive and a closed folder, scanned every minute. Nothing
    of yours is touched. A second time it goes on where it was.
    """
    from services.demo import tour

    tour.run(data_dir, port)
