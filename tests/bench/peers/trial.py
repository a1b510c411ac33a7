"""One repetition of all that is measured of a peer: its client and its one worker in a store of their own."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tests.bench.peers.children import PeerFailed, running
from tests.bench.peers.peer import Peer
from tests.bench.peers.stores import fresh_store
from tests.support.waiting import NeverHappened, until

APPS = Path(__file__).parent / "apps"
SLOWEST_PER_S = 20  # who does fewer jobs a second is taken to hang
BESIDES_S = 60


class Trial(Struct, frozen=True):
    """Jobs per second, and milliseconds from the start of a call to the start of its handler."""

    enqueue: float
    drain: float
    latency_ms: list[float]
    bulk: float | None = None


class _Place(Struct, frozen=True):
    """Where one measurement runs: its folder, and what its processes are told."""

    peer: Peer
    python: Path
    folder: Path
    environment: Mapping[str, str]

    @property
    def told(self) -> Path:
        return self.folder / "told"


def trial(peer: Peer, python: Path, folder: Path, jobs: int) -> Trial:
    """Raises `PeerFailed`, or what its store raises if that does not start."""
    within_s = BESIDES_S + jobs / SLOWEST_PER_S
    with _place(peer, python, folder / "session") as place:
        told = _session(place, jobs, within_s)
    if peer.bulk is not None:
        with _place(peer, python, folder / "bulk") as place:
            told |= _bulk(place, jobs, within_s)
    return msgspec.convert(told, Trial)


def _session(place: _Place, jobs: int, within_s: float) -> dict[str, Any]:
    with _client(place, "session", jobs) as client:
        _await("enqueue", place, within_s, client=client)
        url = place.environment["PEER_URL"]
        words: list[str | Path] = [place.python, *(word.replace("{url}", url) for word in place.peer.worker)]
        log = place.folder / "worker.log"
        with running(words, log, environment=place.environment, folder=place.folder) as worker:
            for figure in ("drain", "latency_ms"):
                _await(figure, place, within_s, client=client, worker=worker)
    return _told(place.told)


def _bulk(place: _Place, jobs: int, within_s: float) -> dict[str, Any]:
    with _client(place, "bulk", jobs) as client:
        _await("bulk", place, within_s, client=client)
    return _told(place.told)


@contextmanager
def _place(peer: Peer, python: Path, folder: Path) -> Iterator[_Place]:
    folder.mkdir(parents=True)
    with fresh_store(peer.store, folder / "store") as url:
        told_them = {"PEER_URL": url, "PEER_MARKS": str(folder / "marks"), "PYTHONPATH": str(APPS)}
        yield _Place(peer, python, folder, os.environ | told_them)


@contextmanager
def _client(place: _Place, what: str, jobs: int) -> Iterator[subprocess.Popen[bytes]]:
    words: list[str | Path] = [place.python, APPS / "client.py", place.peer.name, what, str(jobs), place.told]
    with running(words, place.folder / "client.log", environment=place.environment, folder=place.folder) as client:
        yield client


def _await(figure: str, place: _Place, within_s: float, **children: subprocess.Popen[bytes]) -> None:
    """Until the client has told it. Raises `PeerFailed` if a child ends before, or nothing comes."""

    def over() -> bool:
        return figure in _told(place.told) or any(child.poll() is not None for child in children.values())

    try:
        until(over, figure, within_s)
    except NeverHappened:
        raise PeerFailed(f"no {figure} within {within_s:g} s", place.folder / f"{[*children][-1]}.log") from None
    if figure in _told(place.told):
        return
    name = next(name for name, child in children.items() if child.poll() is not None)
    raise PeerFailed(f"its {name} ended with code {children[name].poll()}", place.folder / f"{name}.log")


def _told(file: Path) -> dict[str, Any]:
    """What the client has told until now; its last line may be half written."""
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    told: dict[str, Any] = {}
    for line in lines:
        if line.endswith(b"\n"):
            told |= msgspec.json.decode(line)
    return told
