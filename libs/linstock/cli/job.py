"""`linstock job …`: jobs of applications. Light to import: `linstock --help` reads this module."""

from typing import TYPE_CHECKING

import rich_click as click

from linstock.cli.named import JOB
from linstock.cli.options import examples, limited, wait, with_api, with_screen
from linstock.statuses import OF_JOBS

if TYPE_CHECKING:
    from linstock.cli.api import Api
    from linstock.cli.screen import Screen


_reason = click.option("--reason", help="Kept with the job.")


@click.group(epilog=examples("linstock job ls --status Failed"))
def job() -> None:
    """See the jobs of applications; cancel those that are open, do again what has failed."""


@job.command(epilog=examples("linstock job ls --status Failed --type send_mail", "linstock job ls -n 500 -o jsonl"))
@click.option("--status", type=click.Choice(OF_JOBS, case_sensitive=False), help="Only these.")
@click.option("--type", "job_type", metavar="TYPE", help="Only of this type.")
@click.option("--queue", help="Only of this queue.")
@limited(20)
@with_screen
@with_api
def ls(api: "Api", screen: "Screen", status: str | None, job_type: str | None, queue: str | None, limit: int) -> None:
    """List jobs, the newest first."""
    from linstock.cli.jobs import COLUMNS
    from linstock.cli.screen import more

    rows, total = api.rows("/jobs", limit, status=status, jobType=job_type, queue=queue)
    screen.rows(rows, COLUMNS, none="No such jobs." if status or job_type or queue else "No job was asked for yet.")
    more(len(rows), total)


@job.command(epilog=examples("linstock job show 31e31418", "linstock job show 31e31418 --wait"))
@click.argument("job_id", metavar="JOB", type=JOB)
@wait
@with_screen
@with_api
@click.pass_context
def show(ctx: click.Context, api: "Api", screen: "Screen", job_id: str, wait: bool) -> None:
    """Show one job: its parameters, how it stands, and why it waits or has failed.

    JOB is an id, or the beginning of one of the newest 1,000.
    """
    from linstock.cli import jobs

    found = JOB.identity(api, job_id)
    if wait:
        ctx.exit(jobs.wait_and_show(api, screen, found))
    jobs.show(screen, api.get(f"/jobs/{found}"))


@job.command(epilog=examples("linstock job watch 31e31418"))
@click.argument("job_id", metavar="JOB", type=JOB)
@with_screen
@with_api
@click.pass_context
def watch(ctx: click.Context, api: "Api", screen: "Screen", job_id: str) -> None:
    """Look on until a job has ended: at which stage it is, and how far. Exit code 1 if it did not complete."""
    from linstock.cli import jobs

    ctx.exit(jobs.wait_and_show(api, screen, JOB.identity(api, job_id)))


@job.command(epilog=examples("linstock job retry 31e31418", "linstock job retry 31e31418 --wait"))
@click.argument("job_id", metavar="JOB", type=JOB)
@wait
@with_screen
@with_api
@click.pass_context
def retry(ctx: click.Context, api: "Api", screen: "Screen", job_id: str, wait: bool) -> None:
    """Do the work of a job that has failed, timed out or was cancelled again, as another job. Twice is once."""
    from linstock.cli import jobs

    started = api.command("POST", f"/jobs/{JOB.identity(api, job_id)}/retry").body
    if wait:
        ctx.exit(jobs.wait_and_show(api, screen, started["id"]))
    jobs.show(screen, api.get(f"/jobs/{started['id']}"))


@job.command(epilog=examples("linstock job cancel 31e31418 --reason 'wrong invoice'"))
@click.argument("job_id", metavar="JOB", type=JOB)
@_reason
@with_screen
@with_api
def cancel(api: "Api", screen: "Screen", job_id: str, reason: str | None) -> None:
    """Cancel a job that is open. One that runs is told to end."""
    from linstock.cli import jobs

    identity = JOB.identity(api, job_id)
    done = api.command("POST", f"/jobs/{identity}/cancel", {"reason": reason} if reason else {})
    jobs.show(screen, done.body if "status" in done.body else api.get(f"/jobs/{identity}"))
