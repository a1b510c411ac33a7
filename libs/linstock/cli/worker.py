"""`linstock worker`: run the jobs of an application."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.options import examples

if TYPE_CHECKING:
    from linstock.jobs.worker import Worker


@click.command(
    epilog=examples(
        "linstock worker app.jobs",
        "linstock worker app.jobs --queues critical,default,low --concurrency 50",
        "linstock worker app.jobs --queues critical=6,default=3,low=1",
        "LINSTOCK_NATS_URL=nats://nats.internal:4222 linstock worker app.jobs:worker",
    )
)
@click.argument("target", metavar="MODULE[:WORKER]")
@click.option(
    "--queues",
    metavar="NAMES",
    help="Served in this order; as name=weight they share the slots in that proportion. Default: default",
)
@click.option("--concurrency", type=click.IntRange(1, 10_000), help="How many jobs at once. Default: 20")
@click.option("--workspace", help="Default: default")
@click.option("--grace", type=click.FloatRange(0), metavar="SECONDS", help="For what runs when it stops. Default: 25")
@click.option("--name", help="What it is called; no two at once may be called the same. Default: made up")
@click.option(
    "--data-dir",
    type=click.Path(),
    envvar="LINSTOCK_DATA_DIR",
    metavar="DIR",
    help="Of a Linstock on this machine, when LINSTOCK_NATS_URL is not set. Default: .linstock",
)
@click.option("--alone", is_flag=True, help="Without a process that starts it again when it dies.")
def worker(
    target: str,
    queues: str | None,
    concurrency: int | None,
    workspace: str | None,
    grace: float | None,
    name: str | None,
    data_dir: str | None,
    alone: bool,
) -> None:
    """Run the jobs in MODULE until stopped; or those of the WORKER that it makes.

    SIGTERM and Ctrl-C: takes no more jobs, gives those that run their grace, hands back what has not ended.
    """
    from linstock.cli import working

    made = working.load(target)  # here too when another process is to run it: mistakes are told once, and end it
    _change(made, queues, concurrency, workspace, grace, name, data_dir)
    if alone:
        working.run(made)
    else:
        working.keep_running()


def _change(
    made: "Worker",
    queues: str | None,
    concurrency: int | None,
    workspace: str | None,
    grace: float | None,
    name: str | None,
    data_dir: str | None,
) -> None:
    from pathlib import Path

    if queues is not None:
        made.queues = _queues(queues)
    made.concurrency = concurrency or made.concurrency
    made.workspace = workspace or made.workspace
    made.grace_s = made.grace_s if grace is None else grace
    made.name = name or made.name
    made.data_dir = Path(data_dir) if data_dir else made.data_dir


def _queues(text: str) -> tuple[str, ...] | dict[str, int]:
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    weighted = [weight for _, _, weight in parts if weight]
    if not parts or len(weighted) not in (0, len(parts)):
        raise click.BadParameter("give every queue a weight, or none", param_hint="--queues")
    if not weighted:
        return tuple(queue for queue, _, _ in parts)
    if not all(weight.isdecimal() and int(weight) > 0 for weight in weighted):
        raise click.BadParameter("a weight is a whole number of at least 1", param_hint="--queues")
    return {queue: int(weight) for queue, _, weight in parts}
