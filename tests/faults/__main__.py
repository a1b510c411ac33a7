"""`make faults`: kill everything, again and again, and count what was lost (nothing) or doubled (nothing).

    python -m tests.faults [--only PART] [--seed N] [--kills N] [--jobs N] [--keep]

Eight parts, about 24 minutes together on two cores:

- `kills` (about 5 minutes with 120 kills): a whole system with two schedulers and two library services. kill -9 of each
  service, of whichever process relays a log, of NATS and of PostgreSQL, at random, while a library is scanned every
  second and callers send commands under idempotency keys. Then everything is compared with everything: what callers
  were told, the logs in Postgres, EVENTS, the read models and a rebuild of them.
- `jobs` (about 6 minutes with 120 kills and 20,000 jobs): two schedulers and three workers of an application. kill -9
  of workers, schedulers, the relay, NATS and PostgreSQL, at random, while a caller asks for jobs under idempotency
  keys. Every job must have one verdict and one effect.
- `schedulers` (about 3 minutes with 120 kills): three schedulers, one with a clock a day ahead, on schedules that recur
  within seconds. kill -9 of one or two of them at random; then every instant must have one verdict, none of them early.
- `crashpoints` (about 1 minute): each named crash point of `linstock.crashpoints` once, then the same comparison.
- `scans` (about 5 minutes): kill -9 at each named point of a scan, each compared with one that nobody killed; and of
  300,000 files, killed half way, how much is read again.
- `hostile` (about 1 minute): bombs, lies, loops and 5,000 damaged images and archives; what they cost the processes
  that read them.
- `outages` (about 3 minutes): PostgreSQL and NATS away for a minute, dead or hanging, then the same comparison.
- `controls` (10 seconds): each safeguard taken away once; the checks must notice.

The same seed gives the same victims in the same order with the same pauses; how far the system has come at each kill is
up to the machine. Exit code 1 on any miss; then the data stays where the output says.
"""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import structlog

from tests.faults import crashpoints, hostile, jobs, kills, outages, scans, schedulers
from tests.faults.commander import Unanswered
from tests.faults.controls import run as controls
from tests.faults.report import progress
from tests.faults.system import NotReady
from tests.faults.victims import NeverCameBack
from tests.faults.workload import NeverSettled

GAVE_UP = (scans.NeverCame, NotReady, NeverCameBack, NeverSettled, Unanswered)
PARTS = ("controls", "crashpoints", "scans", "hostile", "outages", "schedulers", "jobs", "kills")


class Size(NamedTuple):
    """How much is killed, and how many jobs are asked for meanwhile."""

    kills: int
    jobs: int


async def main(only: str | None, seed: int, size: Size, *, keep: bool) -> bool:
    home = Path(tempfile.mkdtemp(prefix="linstock-faults-"))
    began, ok = time.monotonic(), True
    print(f"seed {seed}", flush=True)
    for part in PARTS if only is None else (only,):
        print(f"\n== {part}", flush=True)
        ok &= await _part(part, home / part, seed, size)
    print(f"\nseed {seed}, {time.monotonic() - began:.0f} s: {'nothing was missed' if ok else 'MISSED'}", flush=True)
    if ok and not keep:
        shutil.rmtree(home, ignore_errors=True)
    else:
        progress(f"data and logs are in {home}")
    return ok


async def _part(part: str, home: Path, seed: int, size: Size) -> bool:
    home.mkdir()
    try:
        return await _run(part, home, seed, size)
    except GAVE_UP as error:
        reasons: list[BaseException] = [error]
    except BaseExceptionGroup as group:  # of callers
        reasons = list(group.exceptions)
        if group.split(GAVE_UP)[1]:
            raise
    for reason in reasons:
        progress(f"{part} could not be judged: {type(reason).__name__}: {reason}")
    return False


async def _run(part: str, home: Path, seed: int, size: Size) -> bool:
    match part:
        case "kills":
            return await kills.run(home, seed=seed, kills=size.kills)
        case "schedulers":
            return await schedulers.run(home, seed=seed, kills=size.kills)
        case "jobs":
            return await jobs.run(home, seed=seed, kills=size.kills, jobs=size.jobs)
        case "crashpoints":
            return await crashpoints.run(home, seed=seed)
        case "scans":
            return await scans.run(home, seed=seed)
        case "hostile":
            return await hostile.run(home, seed=seed)
        case "outages":
            return await outages.run(home, seed=seed)
        case _:
            return await controls.run(home)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="kill everything, count what was lost")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--keep", action="store_true", help="keep the data also when all is well")
    given = parser.parse_args()
    # What our own connections say about servers that we kill is no news.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("linstock").setLevel(logging.CRITICAL)
    chosen = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    sys.exit(0 if asyncio.run(main(given.only, chosen, Size(given.kills, given.jobs), keep=given.keep)) else 1)
