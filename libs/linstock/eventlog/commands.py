"""`linstock events verify | republish`, for operators; the group they are in is `linstock.cli.events`."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click
from msgspec import Struct

from linstock.cli.exits import Ended, Exit
from linstock.cli.options import examples, with_screen
from linstock.settings import DEFAULT_DATA_DIR

if TYPE_CHECKING:
    from linstock.cli.screen import Screen
    from linstock.eventlog.verify import Verdict

PROGRESS_EVERY = 20_000

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_DATA_DIR,
    show_default=True,
    envvar="LINSTOCK_DATA_DIR",
    help="Of a running `linstock up`. LINSTOCK_DATABASE_URL and LINSTOCK_NATS_URL go first.",
)


class Servers(Struct, frozen=True):
    postgres_url: str
    nats_url: str


class NotRunning(Ended):
    """Nothing runs on {data_dir}. Start it with `linstock up`, or set LINSTOCK_DATABASE_URL and LINSTOCK_NATS_URL."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__((self.__doc__ or "").format(data_dir=data_dir), Exit.UNREACHABLE)
        self.data_dir = data_dir


@click.command(epilog=examples("linstock events verify", "linstock events verify -o json"))
@_data_dir
@with_screen
def verify(screen: "Screen", data_dir: Path) -> None:
    """Compare every event in EVENTS with Postgres.

    Checks the chain, the epoch, and each event's id and content. Exits with 1 at the first difference.
    """
    sys.exit(_run(data_dir, lambda client, connection: _verify(client, connection, screen)))


@click.command(epilog=examples("linstock events republish", "linstock events republish scanner --yes"))
@_data_dir
@click.option("--yes", is_flag=True, help="Do it. Without this nothing is changed.")
@click.argument("logs", nargs=-1, metavar="[LOG]…")
def republish(data_dir: Path, yes: bool, logs: tuple[str, ...]) -> None:
    """Make EVENTS again from what Postgres has.

    Needed after Postgres was restored from a backup. Each LOG (default: all) gets a new epoch, so whoever follows it
    starts again. The services must be running: their relays fill the stream.
    """
    sys.exit(_run(data_dir, lambda client, connection: _republish(client, connection, logs, yes=yes)))


async def _verify(client: Any, connection: Any, screen: "Screen") -> int:
    from nats.js.errors import NotFoundError

    from linstock import names
    from linstock.eventlog.history import logs_in
    from linstock.eventlog.verify import Break, Verdict, verify

    known = await logs_in(connection)
    try:
        info = await client.jetstream().stream_info(names.EVENTS, subjects_filter=names.ALL_EVENTS)
    except NotFoundError as error:
        raise click.ClickException("EVENTS is not there; a running service makes and fills it") from error
    strangers = {subject.split(".")[1] for subject in info.state.subjects or ()} - set(known)
    verdicts = [await verify(client, connection, log, progress=_progress(log)) for log in known]
    unknown = Break(0, "in EVENTS, but Postgres has no such log")
    verdicts += [Verdict(log=log, compared=0, behind=0, broken=unknown) for log in sorted(strangers)]
    if screen.form != "table":
        screen.rows(msgspec.to_builtins(verdicts), (), none="")
    for verdict in verdicts:
        screen.say(_sentence(verdict))
    return 1 if any(verdict.broken for verdict in verdicts) else 0


def _sentence(verdict: "Verdict") -> str:
    behind = f", {verdict.behind} not relayed yet" if verdict.behind else ""
    broken = verdict.broken and f"; first break: {verdict.log}:{verdict.broken.position}: {verdict.broken.reason}"
    return f"{verdict.log}: {verdict.compared} events compared{behind}{broken or ''}"


async def _republish(client: Any, connection: Any, logs: tuple[str, ...], *, yes: bool) -> int:
    from linstock.eventlog.history import logs_in
    from linstock.eventlog.republish import remake, wait_for_relays

    known = await logs_in(connection)
    if unknown := set(logs) - set(known):
        raise click.UsageError(f"no such log: {', '.join(sorted(unknown))}. There are: {', '.join(known) or 'none'}.")
    renewed = list(logs or known)
    if not yes:
        click.echo(f"This deletes EVENTS, fills it again from Postgres, and renews the epoch of {', '.join(renewed)}.")
        click.echo("Everyone who follows these logs starts again. Nothing was changed; add --yes to do it.")
        return 1
    await remake(client, connection, renewed)
    refills = await wait_for_relays(client, connection, known, progress=_progress("EVENTS"))
    for refill in refills:
        missing = f", {refill.missing} still missing (is its service running?)" if refill.missing else ""
        click.echo(f"{refill.log}: {refill.published} events published{missing}")
    return 1 if any(refill.missing for refill in refills) else 0


def _progress(what: str) -> Callable[[int, int], None]:
    """One line on stderr for every 20,000 events."""
    last = 0

    def report(done: int, total: int) -> None:
        nonlocal last
        if done // PROGRESS_EVERY != last:
            last = done // PROGRESS_EVERY
            click.echo(f"{what}: {done} of {total}", err=True)

    return report


def _run(data_dir: Path, work: Callable[[Any, Any], Awaitable[int]]) -> int:
    import asyncio  # late, like all that --help does without

    async def run() -> int:
        async with _connected(_servers(data_dir)) as (client, connection):
            return await work(client, connection)

    return asyncio.run(run())


@asynccontextmanager
async def _connected(servers: Servers) -> AsyncIterator[tuple[Any, Any]]:
    import asyncpg

    from linstock.bus.connection import connect_once

    try:
        connection = await asyncpg.connect(servers.postgres_url)
    except OSError as error:
        raise click.ClickException(f"Postgres is not reachable: {error}") from error
    try:
        client = await connect_once(servers.nats_url, "linstock-events")
    except Exception as error:
        await connection.close()
        raise click.ClickException(f"NATS is not reachable: {error}") from error
    try:
        yield client, connection
    finally:
        await client.close()
        await connection.close()


def _servers(data_dir: Path) -> Servers:
    postgres_url, nats_url = os.environ.get("LINSTOCK_DATABASE_URL"), os.environ.get("LINSTOCK_NATS_URL")
    try:
        state = msgspec.json.decode((data_dir / "state.json").read_bytes())
        return Servers(postgres_url or state["postgres"]["url"], nats_url or state["nats"]["url"])
    except (FileNotFoundError, KeyError, TypeError) as error:
        if postgres_url and nats_url:
            return Servers(postgres_url, nats_url)
        raise NotRunning(data_dir) from error
