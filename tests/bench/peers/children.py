"""Other programs of a comparison: none holds our pipes, none outlives us, and a failure has words."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from linstock.embedded.process import before_exec

STOP_WITHIN_S = 5


class PeerFailed(Exception):
    """{what}: {words}"""

    def __init__(self, what: str, log: Path) -> None:
        self.what, self.log = what, log
        super().__init__((self.__doc__ or "").format(what=what, words=last_words(log)))


def last_words(log: Path) -> str:
    """The last line of a log that says anything."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def run(
    words: Sequence[str | Path], log: Path, *, within_s: float, environment: Mapping[str, str] = os.environ
) -> None:
    """To its end. Raises `PeerFailed` if that is not a good one, or not in time."""
    what = " ".join([Path(words[0]).name, *map(str, words[1:4])])
    with running(words, log, environment=environment) as child:
        try:
            code = child.wait(within_s)
        except subprocess.TimeoutExpired:
            raise PeerFailed(f"{what} took longer than {within_s:g} s", log) from None
    if code != 0:
        raise PeerFailed(f"{what} ended with code {code}", log)


@contextmanager
def running(
    words: Sequence[str | Path], log: Path, *, environment: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """In a session of its own: a worker's children end with it, whatever it does about them."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            [os.fspath(word) for word in words],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=before_exec(signal.SIGKILL),
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asked first: a worker that is killed leaves children that have left its group (rq's forks do)."""
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_WITHIN_S)
    with suppress(ProcessLookupError):  # nobody of the group is left
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
