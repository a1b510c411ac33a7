"""What `linstock outbox relay` does: run a relay until the process is told to end."""

import asyncio
import importlib.util
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from linstock.cancellation import cancel
from linstock.cli.exits import Ended, Exit
from linstock.jobs import address
from linstock.outbox.table import Table

if TYPE_CHECKING:
    from linstock.outbox.relay import Relay

ENDS_WITHIN_S = 8.0
"""Rows that it has in hand then are handed over again, by the next."""


def relay(
    database_url: str, nats_url: str | None, data_dir: str | None, table: Table, *, batch: int, once: bool
) -> Exit:
    """Raises Ended."""
    if importlib.util.find_spec("asyncpg") is None:
        raise Ended("The relay needs asyncpg: pip install 'linstock[outbox]'", Exit.USAGE)
    from linstock.outbox.relay import Relay

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        url = nats_url or address.nats_url(Path(data_dir) if data_dir else None)
    except address.NothingRuns as error:
        raise Ended(str(error), Exit.UNREACHABLE) from error
    return asyncio.run(_until_told(Relay(database_url, url, table=table, batch=batch), once=once))


async def _until_told(relay: "Relay", *, once: bool) -> Exit:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    work = asyncio.create_task(_drained(relay) if once else _run(relay))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not work.done():
        relay.stop()
        await asyncio.wait((work,), timeout=ENDS_WITHIN_S)
    stopping.cancel()
    if work.done():
        return work.result()
    await cancel(work)
    return Exit.OK


async def _run(relay: "Relay") -> Exit:
    await relay.run()
    return Exit.OK


async def _drained(relay: "Relay") -> Exit:
    """Raises Ended."""
    from linstock.outbox.relay import Stuck

    try:
        refused = await relay.drain()
    except Stuck as error:
        raise Ended(str(error), Exit.UNREACHABLE) from error
    return Exit.FAILED if refused else Exit.OK
