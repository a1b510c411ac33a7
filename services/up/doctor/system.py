"""What runs on the data directory: who holds it, whether its services are ready, who can reach it, what it can read."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linstock.access.hosts import is_loopback
from linstock.cli.api import Api
from linstock.cli.exits import Ended, Exit
from linstock.embedded import DataDir
from services.up import readiness, state
from services.up.doctor.finding import Finding, failed, ok, warning
from services.up.state import State

NAMED = 5


def holder(data: DataDir) -> Finding:
    pid = state.holder(data)
    if pid is None:
        return ok("running", "nothing runs on it; start it: linstock up")
    found = state.running(data)
    if found is None:
        return warning("running", f"pid {pid} is just starting or stopping", "Look again in a moment.")
    return ok("running", f"{found.url}, pid {pid}")


def port(host: str, number: int) -> Finding:
    """Whether `linstock up` could listen there. Only asked while nothing runs."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            return failed("port", f"{number} of {host}: {error.strerror}", "Give another one: linstock up --port 9000")
    return ok("port", f"{number} is free" if number else "any free one")


async def services(found: State) -> list[Finding]:
    waiting = await readiness.unready({name: service.probe for name, service in found.services.items()})
    return [
        failed(name, waiting[name], "It is started again by itself; if that goes on: linstock logs")
        if name in waiting
        else ok(name, "ready")
        for name in found.services
    ]


def exposure(found: State) -> Finding:
    host = found.host
    with Api(found.url) as api:
        try:
            api.get("/libraries", pageSize=1)
        except Ended as ended:
            asks = ended.exit_code == Exit.NOT_ALLOWED
            if not asks:
                return failed("access", ended.message, "See: linstock status")
        else:
            asks = False
    if is_loopback(host):
        return ok("access", f"{host} only, {'with' if asks else 'without'} a token")
    if not asks:
        return failed("access", f"{host} is reachable for others, and asks for no token",
                      "Anybody there may delete libraries: linstock token create, or listen on 127.0.0.1")  # fmt: skip
    return warning("access", f"{host} is reachable for others, with a token",
                   "Tokens travel readable over http: put a proxy with TLS before it.")  # fmt: skip


def libraries(found: State, token: str | None) -> Finding:
    """Whether the scanner's user can read each library's folder."""
    with Api(found.url, token) as api:
        try:
            rows, total = api.rows("/libraries", 1_000)
        except Ended as ended:
            return warning("libraries", f"not looked at: {ended.message}", "Give a token that may read them.")
    with _as_user(_uid_of(found)) as sure:
        bad = [row["path"] for row in rows if not os.access(row["path"], os.R_OK | os.X_OK)]
    if bad:
        named = ", ".join(bad[:NAMED]) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        return failed("libraries", f"cannot be read: {named}",
                      "Mount the disk, or let the user of Linstock read the folder.")  # fmt: skip
    readable = f"{total} folders, all can be read"
    if not sure:
        return warning("libraries", readable, "Looked at as you, not as the user of Linstock: run this as that user.")
    return ok("libraries", readable)


def _uid_of(found: State) -> int:
    scanner = found.services.get("scanner")
    try:
        return Path(f"/proc/{scanner.pid if scanner and scanner.pid else found.pid}").stat().st_uid
    except OSError:
        return os.geteuid()


@contextmanager
def _as_user(uid: int) -> Iterator[bool]:
    """True when what is looked at inside is looked at as `uid`: we are that user, or may become it for a moment."""
    own = os.geteuid()
    if uid == own or own != 0:
        yield uid == own
        return
    os.seteuid(uid)
    try:
        yield True
    finally:
        os.seteuid(own)
