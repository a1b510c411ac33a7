"""Which edition of the time zone rules this process computes with: recorded with every tick."""

import zoneinfo
from importlib import metadata
from pathlib import Path


def tzdata_version() -> str:
    """Such as `2026a`: the system's files if there are any, as zoneinfo prefers them; else the installed package's."""
    for folder in zoneinfo.TZPATH:
        try:
            with (Path(folder) / "tzdata.zi").open(encoding="ascii") as file:
                return file.readline().removeprefix("# version ").strip()[:20]
        except (OSError, UnicodeDecodeError):
            continue
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return "unknown"
