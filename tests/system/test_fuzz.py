"""schemathesis over the OpenAPI document of a running Linstock: every check, also over several requests in a row."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import Instance, started

FUZZ = Path(__file__).parents[1] / "fuzz"
# Short and always the same here; `make fuzz` sets both.
EXAMPLES = os.environ.get("LINSTOCK_FUZZ_EXAMPLES", "2")
# Every schedule route has two paths and one handler: the second is fuzzed when there is time.
BRIEFLY = () if "LINSTOCK_FUZZ_EXAMPLES" in os.environ else ("--exclude-path-regex", "^/api/v1/schedules")
SEED = os.environ.get("LINSTOCK_FUZZ_SEED", "1")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setenv("LINSTOCK_ALLOW_ROOTS", str(root))
    monkeypatch.setenv("LINSTOCK_FUZZ_ROOT", str(root))
    data_dir = tmp_path / "data"
    with started(data_dir) as instance:
        yield instance


def test_whatever_the_document_allows_is_answered_as_it_says(running: Instance, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FUZZ / "schemathesis.toml"), "run"]
    found = subprocess.run(
        [*command, running.url + "/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES, *BRIEFLY],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(FUZZ.parents[1]),
            "SCHEMATHESIS_HOOKS": "tests.fuzz.words",
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    logged = running.command("logs").stdout
    assert "Request failed" not in logged
