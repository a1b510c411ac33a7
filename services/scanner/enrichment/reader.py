"""The scanner's end of its reading process: asks, listens, and starts another when it was ended by what it read."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence

from services.scanner.enrichment import limits, words
from services.scanner.enrichment.words import Draw, Drawn, File, Look, Looked, Place, Request

MODULE = "services.scanner.enrichment.child"
START_S = 60.0
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX")
"""Of the environment: no credentials."""


class Silent(Exception):
    """The reading process says nothing: the disk hangs, perhaps."""


class NoReader(Exception):
    """The reading process can't be started."""


class _Ended(Exception):
    """The reading process ended while it read."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"{self.__doc__} {code}")
        self.code = code


class Reader:
    """At most one process, started when it is needed. Safe for concurrent use: one request after the other."""

    def __init__(self, *, silent_s: float = limits.SILENT_S) -> None:
        self._silent_s = silent_s
        self._process: Process | None = None
        self._killed: list[Process] = []  # and not waited for yet
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def look(self, place: Place, files: Sequence[File]) -> list[Looked]:
        """In order. A file that ends the process twice is said to do so. Raises Silent and NoReader."""
        async with self._turn:
            found: list[Looked] = []
            suspect = -1
            while len(found) < len(files):
                try:
                    await self._ask(Look(place, list(files[len(found) :])))
                    while len(found) < len(files):
                        found.append(words.looked.decode(await self._answer()))
                except _Ended as ended:
                    if suspect == len(found):
                        found.append(_guilty(ended.code))
                    suspect = len(found)
            return found

    async def draw(self, place: Place, file: File) -> Drawn:
        """As `look`."""
        async with self._turn:
            code = None
            for _ in range(2):
                try:
                    await self._ask(Draw(place, file))
                    return words.drawn.decode(await self._answer())
                except _Ended as ended:
                    code = ended.code
            return Drawn(_guilty(code))

    async def rest(self) -> None:
        """Ends the process once nothing is asked of it: idle, it would keep memory, and the last archive open."""
        async with self._turn:
            await self.stop()

    async def stop(self) -> None:
        """Ends the process; what it reads right now is not answered."""
        if self._process:
            await self._end(self._process)
        killed, self._killed = self._killed, []
        for process in killed:
            await _over(process)

    async def _ask(self, request: Request) -> None:
        process = self._process = self._process or await _start()
        assert process.stdin
        process.stdin.write(words.frame(request))
        try:
            await process.stdin.drain()
        except OSError as error:
            raise _Ended(await self._end(process)) from error
        except asyncio.CancelledError:
            self._drop(process)
            raise

    async def _answer(self) -> bytes:
        process = self._process
        if process is None or process.stdout is None:
            raise _Ended(None)
        try:
            async with asyncio.timeout(self._silent_s):
                length = await process.stdout.readexactly(words.LENGTH_BYTES)
                size = int.from_bytes(length, "big")
                if size > words.LARGEST_FRAME_BYTES:
                    raise _Ended(await self._end(process))
                return await process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as error:
            if isinstance(error, TimeoutError):
                await self._end(process)
                raise Silent from error
            raise _Ended(await self._end(process)) from error
        except asyncio.CancelledError:
            self._drop(process)
            raise

    def _drop(self, process: Process) -> None:
        """An answer that nobody waits for would be taken for the next one's."""
        process.kill()
        self._process = None
        self._killed.append(process)

    async def _end(self, process: Process) -> int | None:
        """How it ended."""
        if self._process is process:
            self._process = None
        try:
            # At the end of its output it is about to end by itself, and then says how.
            async with asyncio.timeout(1 if process.stdout and process.stdout.at_eof() else 0):
                await process.wait()
        except TimeoutError:
            if process.returncode is None:
                process.kill()
        return await _over(process)


async def _over(process: Process) -> int:
    """How a process that ends, or was killed, has ended; nothing of it is left open."""
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    with contextlib.suppress(OSError):
        await process.stdin.wait_closed()
    while await process.stdout.read(words.LARGEST_FRAME_BYTES):
        pass
    return await process.wait()


async def _start() -> Process:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
    except OSError as error:
        raise NoReader(str(error)) from error
    assert process.stdout
    try:
        async with asyncio.timeout(START_S):
            await process.stdout.readexactly(len(words.READY))
    except (asyncio.IncompleteReadError, OSError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise NoReader(f"It said nothing and ended with {await _over(process)}.") from error
    except asyncio.CancelledError:
        process.kill()
        await _over(process)
        raise
    return process


def _guilty(code: int | None) -> Looked:
    if code == -signal.SIGXCPU:
        most = limits.IMAGE_CPU_S
        return Looked(code="too_slow", message=f"Reading it took more than {most} seconds of a processor.")
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return Looked(code="crashed", message=f"Twice it ended the process that read it ({how}).")
