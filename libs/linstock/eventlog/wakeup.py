"""Waiting until a log has grown, without asking it all the time."""

import asyncio


class Wakeup:
    """Everyone who waits wakes at each `ring`. Only for one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout_s: float) -> bool:
        """True when rung, False after `timeout_s`."""
        waiter = self.expect()
        try:
            await asyncio.wait([waiter], timeout=timeout_s)
            return waiter.done()
        finally:
            self.forget(waiter)

    def expect(self) -> "asyncio.Future[None]":
        """A future that the next ring resolves; to look before waiting without missing a ring between the two."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        return waiter

    def forget(self, waiter: "asyncio.Future[None]") -> None:
        self._waiting.discard(waiter)
        waiter.cancel()
