"""Running a test's Python as somebody who is not root, when root runs the tests."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

from linstock.embedded.account import Account
from linstock.embedded.process import before_exec

TIMEOUT_S = 60.0


def owned_folder(path: Path) -> Path:
    """Make `path` and give it to the ordinary user."""
    path.mkdir(mode=0o700)
    entry = _entry()
    if os.geteuid() == 0:
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


def run_module(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """`python -m module words…` as an ordinary user; stdout and stderr are captured.

    It may read what root may, because the interpreter itself may lie in root's home; it may write only its own."""
    account = Account(_entry().pw_uid, _entry().pw_gid, pierce=True) if os.geteuid() == 0 else None
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
        preexec_fn=before_exec(signal.SIGKILL, account),
    )


def _entry() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
