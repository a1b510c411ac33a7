"""Noticing within seconds that PostgreSQL hangs, and that it is back."""

import os
import signal
from pathlib import Path

from linstock.embedded import EmbeddedPostgres
from linstock.presence import Presence
from tests.support.waiting import becomes


def backends(postmaster: int) -> list[int]:
    """The postmaster and its children."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


async def test_a_server_that_hangs_is_away_until_it_goes_on(own_postgres: EmbeddedPostgres) -> None:
    presence = Presence(own_postgres.url)
    await presence.start()
    try:
        assert presence.problem is None
        assert own_postgres.pid
        stopped = backends(own_postgres.pid)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            await becomes(lambda: presence.problem, "PostgreSQL does not answer", timeout_s=10)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        await becomes(presence.check, None, timeout_s=10)
        own_postgres.kill()
        await becomes(lambda: presence.problem, "PostgreSQL does not answer", timeout_s=10)
        own_postgres.start()
        await becomes(lambda: presence.problem, None, timeout_s=10)
    finally:
        await presence.stop()
        await presence.stop()
