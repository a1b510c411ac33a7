"""What was measured of all peers: as figures for the record, and as one table with a line for everybody."""

from collections.abc import Sequence

from msgspec import Struct

from tests.bench.figure import Figure, aligned, number, percentile
from tests.bench.peers.peer import Peer
from tests.bench.peers.trial import Trial
from tests.bench.peers.versions import version

HEADINGS = ("peer", "store", "jobs", "enqueue/s", "bulk/s", "drain/s", "p50 ms", "p99 ms", "its one worker")
LEGEND = """\
enqueue: one client, a call at a time; bulk: b = the batch call, t = one transaction, g = 100 calls gathered.
drain: jobs that do nothing, enqueued before the worker starts; from the first handler to the last recorded end.
p50, p99: from the start of the call to the start of the handler, the worker warm and idle, 100 jobs 20 ms apart.
PostgreSQL syncs every commit; redis is as Debian sets it (snapshots: a crash loses minutes)."""


class Measured(Struct, frozen=True, kw_only=True):
    """A peer's repetitions, or why there are none."""

    peer: Peer
    jobs: int
    trials: Sequence[Trial] = ()
    failure: str = ""

    @property
    def figures(self) -> dict[str, Figure]:
        """By the heading they stand under."""
        if not self.trials:
            return {}
        samples = {
            "enqueue/s": [trial.enqueue for trial in self.trials],
            "bulk/s": [trial.bulk for trial in self.trials if trial.bulk is not None],
            "drain/s": [trial.drain for trial in self.trials],
            "p50 ms": [percentile(trial.latency_ms, 0.5) for trial in self.trials],
            "p99 ms": [percentile(trial.latency_ms, 0.99) for trial in self.trials],
        }
        return {heading: self._figure(heading, values) for heading, values in samples.items() if values}

    def row(self) -> tuple[str, ...]:
        name = f"{self.peer.name} {version(self.peer.name)}"
        if self.failure:
            return (name, self.peer.store.value, f"{self.jobs:,}", "FAILED", "–", "–", "–", "–", self.failure)
        shown = {heading: number(figure.median) for heading, figure in self.figures.items()}
        if self.peer.bulk is not None:
            shown["bulk/s"] += f" {self.peer.bulk.value}"
        cells = [shown.get(heading, "–") for heading in HEADINGS[3:8]]
        return (name, self.peer.store.value, f"{self.jobs:,}", *cells, self.peer.setting)

    def _figure(self, heading: str, samples: Sequence[float]) -> Figure:
        what, _, unit = heading.partition(" ")
        name, unit = (f"idle latency, {what}", unit) if unit else (what.removesuffix("/s"), "jobs/s")
        reference = f"{version(self.peer.name)}, {self.jobs} jobs, {self.peer.setting}"
        return Figure(name=f"{self.peer.name}: {name}", unit=unit, samples=samples, reference=reference)


def table(measured: Sequence[Measured]) -> str:
    return aligned([HEADINGS, *(one.row() for one in measured)]) + "\n" + LEGEND


def failures(measured: Sequence[Measured]) -> dict[str, str]:
    """By the peer's name: in the record, as in the table, nobody is missing without a word."""
    return {one.peer.name: one.failure for one in measured if one.failure}
