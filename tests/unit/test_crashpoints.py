import subprocess
import sys
from collections.abc import Iterator

import pytest

from linstock import crashpoints
from linstock.crashpoints import EXIT_CODE, UnknownCrashPoint

TRIAL = (
    "import sys; from linstock import crashpoints as c; "
    "c.arm(sys.argv[1]); [c.reach('before_append') for _ in range(2)]"
)


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    crashpoints.arm("")


@pytest.mark.parametrize(
    ("armed", "code"),
    [
        ("", 0),
        ("before_append", EXIT_CODE),
        ("before_append:2", EXIT_CODE),
        ("before_append:3", 0),
        ("after_tick_append", 0),
    ],
)
def test_the_process_ends_at_the_named_hit(armed: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", TRIAL, armed], capture_output=True, timeout=30, check=False)
    assert done.returncode == code


@pytest.mark.parametrize("armed", ["nowhere", "before_append:0", "before_append:x", "before_append,nowhere"])
def test_a_misspelt_name_is_refused(armed: str) -> None:
    with pytest.raises(UnknownCrashPoint):
        crashpoints.arm(armed)


def test_unarmed_every_name_is_passed() -> None:
    for name in crashpoints.NAMES:
        crashpoints.reach(name)
