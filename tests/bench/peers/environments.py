"""A virtual environment for each peer: their requirements contradict each other, and ours."""

import sys
from pathlib import Path

from tests.bench.peers.children import run
from tests.bench.peers.versions import OURS, REQUIREMENTS

FOLDER = Path(__file__).parents[3] / ".peers"
INSTALL_WITHIN_S = 600


def python_of(name: str, log: Path) -> Path:
    """The Python that has this peer, installed if it is not. Raises `PeerFailed`."""
    if name == OURS:
        return Path(sys.executable)
    home = FOLDER / name
    python, stamp = home / "bin" / "python", home / "requirements"
    wanted = "\n".join([sys.version, *REQUIREMENTS[name]])
    if not stamp.exists() or stamp.read_text() != wanted:
        FOLDER.mkdir(exist_ok=True)
        run([sys.executable, "-m", "venv", "--clear", home], log, within_s=INSTALL_WITHIN_S)
        quiet = ("--disable-pip-version-check", "--no-input", "--quiet")
        run([python, "-m", "pip", "install", *quiet, *REQUIREMENTS[name]], log, within_s=INSTALL_WITHIN_S)
        stamp.write_text(wanted)  # last: an install that was killed is made anew
    return python
