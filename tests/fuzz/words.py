"""What the formats of our OpenAPI document stand for: schemathesis loads this as its hooks."""

import itertools
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

ROOT = os.environ["LINSTOCK_FUZZ_ROOT"]
ZONES = ["UTC", "Europe/Berlin", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Australia/Lord_Howe"]
FIELDS = [
    ("*", "0", "30", "*/15", "1,2,3", "5-55/10"),
    ("*", "2", "*/6"),
    ("*", "1", "31"),
    ("*", "1", "6-8"),
    ("*", "0"),
]
PATTERNS = ["*.tmp", "/cache/", "**/thumbs", "!keep.jpg", "# a comment", "[ab]?.png", "été/"]

KEY = "fuzz-"
LONGEST = 4096
NAME = 60
_count = itertools.count()

schemathesis.openapi.format("cron", st.tuples(*map(st.sampled_from, FIELDS)).map(" ".join))
schemathesis.openapi.format("time-zone", st.sampled_from(ZONES))
schemathesis.openapi.format("gitignore", st.sampled_from(PATTERNS))
# Folders below one of our own: a fuzzed library must not scan this machine.
schemathesis.openapi.format("path", st.integers(0, 999).map(lambda number: f"{ROOT}/{number}"))
# Reached, or not for ever: what is not yet reached is waited for 2 s.
schemathesis.openapi.format("relative-path", st.sampled_from(["", "0", "0/1", "2024/Holidays/", "лето/夏.zip"]))
schemathesis.openapi.format("positions", st.sampled_from(["library:0", "library:1", "library:1, scheduler:0"]))
schemathesis.openapi.format("entity-tags", st.sampled_from(["*", '"1"', '"2"', '"1-0a1b2c3d4e5f6071"', '"7", "1"']))
schemathesis.openapi.format("idempotency-key", st.integers(0, 9).map(lambda number: f"{KEY}{number}"))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, _: dict[str, Any]) -> None:
    """Each valid key once: the same with another body is refused, as it must be (test_retries.py). Paths that come from
    the pattern alone go below our root, too."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and key.startswith(KEY):
        case.headers["Idempotency-Key"] = f"{key}-{next(_count)}"
    body = case.body
    if isinstance(body, dict) and isinstance(path := body.get("path"), str) and _is_elsewhere(path):
        body["path"] = (ROOT + _cut(path))[:LONGEST]


def _cut(path: str) -> str:
    """No name in it may have more than 255 bytes, which a pattern of characters can't say."""
    return "/" + "/".join(path[start : start + NAME] for start in range(0, len(path), NAME))


def _is_elsewhere(path: str) -> bool:
    return path.startswith("/") and not path.startswith(ROOT) and len(path) <= LONGEST
