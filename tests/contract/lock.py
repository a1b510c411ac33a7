"""contracts/samples.lock: the checksum of every sample that was ever published. Lines are only added.

A sample may be changed or deleted only once a newer version of its type stands beside it. Pure.
"""

import re
from collections.abc import Mapping

_NAME = re.compile(r"(?P<type>.+)\.v(?P<version>\d+)")

Checksums = Mapping[str, str]
"""By the name of a sample, such as linstock.scan.completed.v1."""


def faults(locked: Checksums, samples: Checksums) -> list[str]:
    """What is wrong with `samples`, a sentence each."""
    found = [f"{name} is in no line of samples.lock: run `make contracts`" for name in samples.keys() - locked.keys()]
    for name, checksum in locked.items():
        if samples.get(name) != checksum and not _succeeded(name, locked, samples):
            what = "was changed" if name in samples else "is gone"
            found.append(f"{name} {what}, although it is published: restore it, or add {_next(name)} beside it")
    return sorted(found)


def extended(locked: Checksums, samples: Checksums) -> dict[str, str]:
    """With the samples that have no line yet. What stands there stays."""
    return {**samples, **locked}


def read(text: str) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in text.splitlines())
    return {name: checksum for checksum, name in pairs}


def written(locked: Checksums) -> str:
    return "".join(f"{checksum}  {name}\n" for name, checksum in sorted(locked.items()))


def _succeeded(name: str, locked: Checksums, samples: Checksums) -> bool:
    newer = _next(name)
    return newer in samples or (newer in locked and _succeeded(newer, locked, samples))


def _next(name: str) -> str:
    match = _NAME.fullmatch(name)
    assert match, name
    return f"{match['type']}.v{int(match['version']) + 1}"
