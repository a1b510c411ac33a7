"""The README, run as it stands: each of its command blocks, in order, in one shell."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.up.service import free_port
from tests.support.trees import put

REPOSITORY = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
MARK = "--- block"


class Newcomer:
    """Someone with a few pictures below `/srv`, which is a folder of the test's; so are the data directory and port."""

    def __init__(self, home: Path) -> None:
        self.srv = home / "srv"
        self._home = home
        self._port = free_port()
        for folder in ("photos/summer", "photos/winter", "holidays", "scans"):
            put(self.srv / folder, "1.jpg", "2.png")

    def types(self, script: str) -> "subprocess.CompletedProcess[str]":
        here = script.replace("/srv", str(self.srv)).replace("8321", str(self._port))
        here = re.sub(r"\btoken\.txt", str(self._home / "token.txt"), here)
        # Whoever runs this under make has its variables, which a newcomer has not.
        theirs = ("MAKE", "MFLAGS", "LINSTOCK_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        return subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", here],
            cwd=REPOSITORY,
            env={**ours, "LINSTOCK_DATA_DIR": str(self._home / "data"), "LINSTOCK_PORT": str(self._port)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    newcomer = Newcomer(tmp_path)
    yield newcomer
    newcomer.types("make down")
    shutil.rmtree(newcomer.srv)


def test_every_command_block_of_the_readme_works(newcomer: Newcomer) -> None:
    script = "".join(f"echo '{MARK} {number}'\n{block}" for number, block in enumerate(BLOCKS))
    done = newcomer.types(script)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    start, looked, used, http, others, wrong = done.stdout.split(MARK)[1:]
    assert re.search(r"http://127\.0\.0\.1:\d+$", start.strip())
    assert "photos" in looked
    assert "Completed" in looked or "Running" in looked or "Pending" in looked
    assert "10 minutes" in used
    assert '"excludePatterns":["@eaDir/"]' in http
    assert '"role":"admin"' in others
    assert {"photos", "holidays", "Scans"} <= set(others.split())
    assert "switched to the rebuilt tables" in wrong


def test_the_token_of_the_readme_is_nowhere_but_in_its_file() -> None:
    assert "linstock_" not in (REPOSITORY / "README.md").read_text()
