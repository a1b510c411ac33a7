"""`make bench-peers`: installs the other job queues, measures each and ours in this run, and prints one table of all.

    make bench-peers                                       # everybody, 2,000 jobs (two minutes, and one to install)
    make bench-peers ARGS="--only celery,saq --jobs 500"   # some, for a look
    make bench-peers ARGS="--reps 5"                       # the median of five, for the record

Writes docs/bench/peers.json if everybody was asked. Exit code 1 when a peer could not be installed or did not run; its
line says why, and .peers/logs/<name>/ says more.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import record
from tests.bench.figure import number
from tests.bench.machine import DiskWatch, fdatasync_ms
from tests.bench.peers import (
    arq_peer,
    celery_peer,
    dbos_peer,
    dramatiq_peer,
    huey_peer,
    linstock_peer,
    pgqueuer_peer,
    procrastinate_peer,
    rq_peer,
    saq_peer,
    taskiq_peer,
)
from tests.bench.peers.environments import FOLDER, python_of
from tests.bench.peers.peer import Peer
from tests.bench.peers.report import Measured, failures, table
from tests.bench.peers.trial import trial

JOBS = 2000
LEAST_JOBS = 100  # the first of them are not measured

MODULES = (
    linstock_peer,
    *(procrastinate_peer, dbos_peer, pgqueuer_peer),
    *(celery_peer, arq_peer, saq_peer, taskiq_peer, dramatiq_peer, huey_peer, rq_peer),
)
PEERS: dict[str, Peer] = {module.PEER.name: module.PEER for module in MODULES}


def main() -> int:
    arguments = _arguments()
    chosen = list(dict.fromkeys(arguments.only.split(","))) if arguments.only else list(PEERS)
    if unknown := set(chosen) - set(PEERS):
        print(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what we started ends, too
    with tempfile.TemporaryDirectory(prefix="linstock-peers-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # a PostgreSQL of root's runs as another user
        # All before any is measured: the disk writes for a while what pip has left to it.
        pythons = {name: _installed(name, folder / name) for name in chosen}
        os.sync()
        fdatasync = fdatasync_ms(folder)
        print(f"fdatasync {number(fdatasync)} ms")
        with DiskWatch(folder) as disk:
            measured = [
                _measured(PEERS[name], python, folder / name, arguments.jobs, arguments.reps)
                for name, python in pythons.items()
            ]
    print(table(measured))
    if set(chosen) == set(PEERS):
        figures = [figure for one in measured for figure in one.figures.values()]
        record.write("peers", figures, fdatasync, disk.summary(), failed=failures(measured))
    return 1 if failures(measured) else 0


def _installed(name: str, folder: Path) -> Path | str:
    """The peer's Python, or why there is none."""
    folder.mkdir()
    try:
        return python_of(name, folder / "install.log")
    except Exception as failed:
        return _reason(failed)


def _measured(peer: Peer, python: Path | str, folder: Path, jobs: int, repetitions: int) -> Measured:
    """Whatever goes wrong with one peer is said in its line, and the others are measured."""
    jobs = min(jobs, peer.most_jobs)
    print(f"{peer.name} … ", end="", flush=True)
    trials, failure = [], ""
    if isinstance(python, str):
        failure = python
    else:
        try:
            trials = [trial(peer, python, folder / f"{repetition}", jobs) for repetition in range(repetitions)]
        except Exception as failed:
            failure = _reason(failed)
    _keep_logs(folder, FOLDER / "logs" / peer.name)
    print(failure or "measured", flush=True)
    return Measured(peer=peer, jobs=jobs, trials=trials, failure=failure)


def _reason(failed: Exception) -> str:
    return " ".join(str(failed).split()) or repr(failed)


def _keep_logs(folder: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    for log in folder.rglob("*.log"):
        copy = kept / log.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, copy)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help=f"comma-separated: {', '.join(PEERS)}")
    parser.add_argument(
        "--jobs", type=_at_least(LEAST_JOBS), default=JOBS, help=f"how many each (default {JOBS}); the slow get fewer"
    )
    parser.add_argument("--reps", type=_at_least(1), default=1, help="repetitions; the median is shown (default 1)")
    return parser.parse_args()


def _at_least(least: int) -> Callable[[str], int]:
    def count(word: str) -> int:
        if (value := int(word)) < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return value

    return count


if __name__ == "__main__":
    sys.exit(main())
