"""`linstock up`: check everything that can be checked, then run the supervisor, here or in the background."""

import asyncio
import ipaddress
import os
import socket
import sys
from pathlib import Path

import click

from linstock.disk import because_full
from linstock.embedded import DataDir
from linstock.settings import LogFormat
from linstock.telemetry import configure_logging
from services.up import background, libraries, state
from services.up.failures import CANNOT_START, PortTaken, sentence
from services.up.logstream import LogStream
from services.up.service import free_port
from services.up.supervisor import Plan, Supervisor

COMMANDS: dict[str, tuple[str, ...]] = {
    name: (sys.executable, "-m", f"services.{name}")
    for name in ("library", "scheduler", "scanner", "projection", "api")
}
"""How each service is run."""


def up(*, paths: tuple[Path, ...], data_dir: Path, port: int, host: str, log_format: LogFormat, detach: bool) -> None:
    """Run until stopped, or (`detach`) return when it is ready. Raises `click.ClickException`: one sentence."""
    data = DataDir(data_dir)
    _check_paths(paths)
    _check_host(host)
    try:
        data.prepare()
        if detach:
            background.up(data, paths=paths, port=port, host=host, log_format=log_format)
        else:
            _hold_and_run(data, paths, port, host, log_format)
    except CANNOT_START as error:
        said = sentence(error) + because_full(data.root)
        if background.MARK in os.environ:  # whoever watches us repeats the sentence
            print(said, file=sys.stderr)
            sys.exit(1)
        raise click.ClickException(said) from error


def _hold_and_run(data: DataDir, paths: tuple[Path, ...], port: int, host: str, log_format: LogFormat) -> None:
    held = state.take(data)
    try:
        _check_port(host, port)
        _run(_plan(data, paths, port or free_port(), host, log_format))
    finally:
        os.close(held)


def _run(plan: Plan) -> None:
    # In the background nobody reads a terminal, and the file has it all.
    terminal = sys.stderr if os.environ.get(background.MARK) is None else None
    stream = LogStream(plan.log_format, plan.data.logs / "linstock.log", terminal)
    configure_logging("json", "up", stream)

    async def ready() -> None:
        await libraries.add(plan.url, plan.libraries)
        print(plan.url, flush=True)

    async def supervise() -> int:
        return await Supervisor(plan, stream, ready).run()

    try:
        asyncio.run(supervise())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        stream.close()


def _plan(data: DataDir, paths: tuple[Path, ...], port: int, host: str, log_format: LogFormat) -> Plan:
    return Plan(
        data=data,
        host=host,
        port=port,
        log_format=log_format,
        services=COMMANDS,
        prepare=provision,
        libraries=tuple(path.resolve() for path in paths),
        nats_url=os.environ.get("LINSTOCK_NATS_URL") or None,
        database_url=os.environ.get("LINSTOCK_DATABASE_URL") or None,
    )


async def provision(nats_url: str) -> None:
    """Make streams and durables. Imported late: it needs the whole bus."""
    from linstock.bus import provision as bus

    await bus.provision(nats_url)


def _check_paths(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if not path.is_dir():
            raise click.BadParameter(f"{path} is not a folder.", param_hint="PATH")


def _check_host(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise click.BadParameter(
            f"{host} would let anybody on the network in, because Linstock has no access tokens yet: "
            "listen on 127.0.0.1 and reach it through an SSH tunnel.",
            param_hint="--host",
        )


def _check_port(host: str, port: int) -> None:
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port, error.strerror or "") from error
