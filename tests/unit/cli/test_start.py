"""How quickly the command starts, what it imports for that, and what it says of itself."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linstock.cli.exits import Exit
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.test_every_command import EVERY

HELP_WITHIN_S, CRON_WITHIN_S = 0.25, 0.4
GENEROUS = 4  # the machine may be doing a lot besides
TRIES = 5
CRON = ("cron", "next", "0 2 * * *", "--zone", "Europe/Berlin", "--count", "3", "-o", "json")
HEAVY = (
    "httpx",
    "asyncio",
    "asyncpg",
    "nats",
    "litestar",
    "croniter",
    "cron_descriptor",
    "PIL",
    "structlog",
    "psycopg",
)


def best_time(*words: str) -> float:
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "linstock", *words], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize(
    ("words", "within_s"),
    [(("--help",), HELP_WITHIN_S), (("lib", "add", "--help"), HELP_WITHIN_S), (CRON, CRON_WITHIN_S)],
)
def test_it_starts_quickly(words: tuple[str, ...], within_s: float) -> None:
    took = best_time(*words)
    print(f"linstock {' '.join(words)}: {took:.3f} s, wanted {within_s} s")
    assert took < within_s * GENEROUS


def test_listing_every_command_imports_nothing_heavy() -> None:
    script = f"""
import sys
from linstock.cli import main
main(["--help"], standalone_mode=False)
for path in {[path.split() for path in EVERY]!r}:
    main([*path, "--help"], standalone_mode=False)
print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown.splitlines()[-1] == "heavy: []"


def test_help_and_the_documentation_name_every_exit_code(linstock: Linstock) -> None:
    shown = " ".join(linstock("--help").stdout.split())
    page = Path("docs/cli.md").read_text()
    for member in Exit:
        assert f"{member.value} {member.meaning}" in shown
        assert f"| {member.value} | {member.meaning} |" in page


def test_the_documentation_has_a_line_for_every_command() -> None:
    page = Path("docs/cli.md").read_text()
    missing = [path for path in EVERY if f"`linstock {path}" not in page]
    assert missing == []


def test_misuse_is_said_in_a_line_with_where_to_look(linstock: Linstock) -> None:
    ended = linstock("lib", "ad")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[0].startswith("Error: No such command 'ad'.")
    assert ended.stderr.splitlines()[1] == "How it is used: linstock lib --help"


def test_a_group_alone_shows_its_help(linstock: Linstock) -> None:
    ended = linstock("lib")
    assert ended.exit_code == 2
    assert "Add, see, change, scan and remove libraries" in ended.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str, linstock: Linstock, tmp_path: Path) -> None:
    ended = linstock("completion", shell)
    assert ended.exit_code == 0
    assert "_LINSTOCK_COMPLETE" in ended.stdout
    if program := shutil.which(shell):  # where the shell is there, it must find no fault
        script = tmp_path / "completion"
        script.write_text(ended.stdout)
        subprocess.run([program, "-n", script], check=True)
