"""`make bench`: measures, prints each figure beside its target and its reference, writes docs/bench/*.json.

    make bench                          # everything, five repetitions each (about twenty minutes)
    make bench ARGS="--only relay,idle" # some
    make bench ARGS="--quick"           # one repetition: for a look, not for the record

Exit code 1 when a target is missed. Millisecond targets hold for a disk whose fdatasync takes at most 0.5 ms; above
that they grow by eight times the excess, and the table says what the disk did.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from linstock.embedded import EmbeddedPostgres
from linstock.telemetry import configure_logging
from tests.bench import (
    bench_commands,
    bench_cron,
    bench_eventlog,
    bench_idle,
    bench_jobs,
    bench_lists,
    bench_million,
    bench_projection,
    bench_scan,
    bench_scheduler,
    record,
)
from tests.bench.figure import Figure, number, table
from tests.bench.machine import DiskWatch, allowance_ms, fdatasync_ms
from tests.bench.servers import Servers, fresh_servers
from tests.support.servers import running_postgres

Bench = Callable[[Servers, int, float], list[Figure]]
"""(servers, repetitions, allowance in ms) -> figures."""


def _awaited(bench: Callable[..., object]) -> Bench:
    def run(servers: Servers, repetitions: int, allowance: float) -> list[Figure]:
        figures: list[Figure] = uvloop.run(bench(servers, repetitions=repetitions, allowance_ms=allowance))  # type: ignore[arg-type]
        return figures

    return run


# Latency first: what the heavy ones leave to be deleted and written back stalls the disk for a while.
BENCHES: dict[str, Bench] = {
    "append": _awaited(bench_eventlog.append_to_events),
    "command": _awaited(bench_commands.round_trip),
    "ticks": _awaited(bench_scheduler.tick_lateness),
    "many-ticks": _awaited(bench_scheduler.many_loaded),
    "jobs": _awaited(bench_jobs.jobs),
    "lag": _awaited(bench_projection.lag),
    "relay": _awaited(bench_eventlog.relay),
    "group-commit": _awaited(bench_eventlog.group_commit),
    "cron": lambda _servers, repetitions, _allowance: bench_cron.evaluation(repetitions=repetitions),
    "lists": _awaited(bench_lists.lists),
    "rebuild": _awaited(bench_projection.rebuild),
    "million": _awaited(bench_million.million),
    "scan": lambda servers, repetitions, _: bench_scan.scan(servers.folder, repetitions=repetitions),
    "scan-many": lambda servers, _repetitions, _allowance: bench_scan.scan_many(servers.folder),
    "idle": lambda servers, repetitions, _: bench_idle.idle(servers.folder, repetitions=repetitions),
}


def main() -> int:
    arguments = _arguments()
    chosen = arguments.only.split(",") if arguments.only else list(BENCHES)
    if unknown := set(chosen) - set(BENCHES):
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    repetitions = 1 if arguments.quick else 5
    with tempfile.TemporaryDirectory(prefix="linstock-bench-") as folder:
        Path(folder).chmod(0o755)  # a PostgreSQL of root's runs as another user
        with (Path(folder) / "bench.log").open("w") as log:
            configure_logging("console", "bench", log)
            with running_postgres(Path(folder) / "postgres") as postgres:
                figures = _run(chosen, postgres, Path(folder), repetitions, write=not arguments.quick)
    print(table(figures))
    missed = [figure.name for figure in figures if not figure.met]
    print(f"missed: {', '.join(missed)}" if missed else "every target met")
    return 1 if missed else 0


def _run(chosen: list[str], postgres: EmbeddedPostgres, folder: Path, repetitions: int, *, write: bool) -> list[Figure]:
    fdatasync = fdatasync_ms(folder)
    allowance = allowance_ms(fdatasync)
    print(f"fdatasync {number(fdatasync)} ms: millisecond targets + {number(allowance)} ms")
    figures: list[Figure] = []
    for name in chosen:
        print(f"{name} … ", end="", flush=True)
        os.sync()
        with fresh_servers(postgres, folder / name) as servers, DiskWatch(folder) as disk:
            measured = BENCHES[name](servers, repetitions, allowance)
        figures += measured
        told = ", ".join(f"{number(figure.median)} {figure.unit}" for figure in measured)
        meanwhile = disk.summary()
        tail = f"p99 {number(meanwhile['p99'])}, longest {number(meanwhile['max'])} ms"
        print(f"{told}  (fdatasync meanwhile {tail})", flush=True)
        if write:
            record.write(name, measured, fdatasync, meanwhile)
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help=f"comma-separated: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="one repetition, nothing written")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
