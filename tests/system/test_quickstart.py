"""examples/quickstart as its README says, from the commands to what they print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.instance import started

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
PRINTED = re.compile(r"python app\.py\n```\n```\n(.*?)```", re.DOTALL)


def test_it_prints_what_its_readme_shows(tmp_path: Path) -> None:
    folder = tmp_path / "quickstart"
    shutil.copytree(QUICKSTART, folder)
    shown = PRINTED.search((folder / "README.md").read_text())
    assert shown
    with started(tmp_path / "data") as linstock:
        environment = {**os.environ, "LINSTOCK_DATA_DIR": str(linstock.data_dir)}
        command = [sys.executable, "-m", "linstock", "worker", "app", "--queues", "default,reports"]
        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            asked = subprocess.run(
                [sys.executable, "app.py"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )
        finally:
            worker.terminate()
            worker.wait(30)
        assert asked.stdout == shown[1], asked.stderr
        jobs = linstock.get("/jobs?pageSize=1")
        assert jobs["totalCount"] == 506
        assert linstock.get("/jobs?status=Failed")["totalCount"] == 1
