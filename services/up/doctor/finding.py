"""One thing looked at."""

from typing import Any, Literal

import msgspec

Verdict = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True):
    """`found` is what there is, `advice` what to do ("" where nothing is). Only `failed` ones make the exit code 1."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""

    def as_row(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


def ok(check: str, found: str) -> Finding:
    return Finding(check, "ok", found)


def warning(check: str, found: str, advice: str) -> Finding:
    return Finding(check, "warning", found, advice)


def failed(check: str, found: str, advice: str) -> Finding:
    return Finding(check, "failed", found, advice)
