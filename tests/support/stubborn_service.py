"""Services that misbehave, for tests of the lifecycle: `python -m tests.support.stubborn_service HOW`."""

import asyncio
import sys

from linstock import lifecycle
from linstock.probes import Vitals
from linstock.settings import Settings


class Stubborn:
    """`late`: starts at the third attempt. `stuck`: never stops. `fatal`: fails once started. Else: behaves."""

    def __init__(self, _settings: Settings, vitals: Vitals) -> None:
        self._vitals = vitals
        self._attempts = 0

    async def start(self) -> None:
        self._attempts += 1
        if sys.argv[1] == "late" and self._attempts < 3:
            raise ConnectionError("nats://u:hunter2@h is away")
        if sys.argv[1] == "fatal":
            self._vitals.fail(RuntimeError("cannot live with this"))

    async def stop(self) -> None:
        if sys.argv[1] == "stuck":
            await asyncio.Event().wait()


if __name__ == "__main__":
    lifecycle.STOP_LIMIT_S = 0.2
    lifecycle.run("trial", Stubborn)
