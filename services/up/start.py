"""`linstock up`: check everything that can be checked, then run the supervisor, here or in the background."""

import asyncio
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import click
import structlog

from linstock.cli.exits import Ended
from linstock.disk import because_full
from linstock.embedded import DataDir
from linstock.telemetry import configure_logging
from services.up import background, database, libraries, state, tokens
from services.up.failures import CANNOT_START, NoToken, PortTaken, exit_code, sentence
from services.up.launch import PLAIN_HTTP, Launch
from services.up.logstream import LogStream
from services.up.service import free_port
from services.up.supervisor import Plan, Supervisor

log = structlog.get_logger()

COMMANDS: dict[str, tuple[str, ...]] = {
    name: (sys.executable, "-m", f"services.{name}")
    for name in ("library", "scheduler", "scanner", "projection", "api")
}
"""How each service is run."""


def up(launch: Launch, *, data_dir: Path, detach: bool) -> None:
    """Run until stopped, or (`detach`) return when it is ready. Raises `click.ClickException`: one sentence."""
    data = DataDir(data_dir)
    launch = _checked(launch)
    try:
        if launch.is_open and not database.exists(data):
            raise NoToken(launch.host, data.root)
        data.prepare()
        if detach:
            background.up(data, launch)
        else:
            _hold_and_run(data, launch)
    except CANNOT_START as error:
        said, code = sentence(error) + because_full(data.root), exit_code(error)
        if background.MARK in os.environ:  # whoever watches us repeats the sentence
            print(said, file=sys.stderr)
            sys.exit(code)
        raise Ended(said, code) from error


def _hold_and_run(data: DataDir, launch: Launch) -> None:
    held = state.take(data)
    try:
        _check_port(launch.host, launch.port)
        _run(_plan(data, replace(launch, port=launch.port or free_port())))
    finally:
        os.close(held)


def _run(plan: Plan) -> None:
    # In the background nobody reads a terminal, and the file has it all.
    terminal = sys.stderr if os.environ.get(background.MARK) is None else None
    stream = LogStream(plan.launch.log_format, plan.data.logs / "linstock.log", terminal)
    configure_logging("json", "up", stream)

    async def ready(database_url: str) -> None:
        if plan.launch.paths:
            async with tokens.passing(database_url, needed=plan.launch.needs_token) as token:
                await libraries.add(plan.url, plan.launch.paths, token)
        print(plan.url, flush=True)

    async def supervise() -> int:
        return await Supervisor(plan, stream, ready).run()

    try:
        asyncio.run(supervise())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        stream.close()


def _plan(data: DataDir, launch: Launch) -> Plan:
    async def admit(database_url: str) -> None:
        if not launch.needs_token:
            return
        if launch.is_open:
            log.warning(PLAIN_HTTP, host=launch.host)
        if await tokens.on(database_url, lambda kept: kept.any_usable()):
            return
        if launch.is_open:
            raise NoToken(launch.host, data.root)
        log.warning("nobody has a token yet: linstock token create")

    return Plan(
        data=data,
        launch=launch,
        services=COMMANDS,
        admit=admit,
        prepare=provision,
        nats_url=os.environ.get("LINSTOCK_NATS_URL") or None,
        database_url=database.given(),
    )


async def provision(nats_url: str) -> None:
    """Make streams and durables. Imported late: it needs the whole bus."""
    from linstock.bus import provision as bus

    await bus.provision(nats_url)


def _checked(launch: Launch) -> Launch:
    """With absolute paths. Raises `click.BadParameter`."""
    for path in launch.paths:
        if not path.is_dir():
            raise click.BadParameter(f"{path} is not a folder.", param_hint="PATH")
    for root in launch.allow_roots:
        if os.pathsep in os.fspath(root):
            raise click.BadParameter(
                f"{root} holds {os.pathsep!r}, which separates folders.", param_hint="--allow-root"
            )
    return replace(
        launch,
        paths=tuple(path.resolve() for path in launch.paths),
        allow_roots=tuple(root.absolute() for root in launch.allow_roots),
    )


def _check_port(host: str, port: int) -> None:
    if port == 0:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortTaken(host, port, error.strerror or "") from error
