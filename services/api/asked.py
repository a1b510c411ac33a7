"""How jobs stand, told to applications over core NATS: the same rows as over HTTP, for who has NATS alone.

Who may ask about a workspace is who may publish on its subject: NATS sees to that.
"""

import asyncio

import asyncpg
import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.messages.asked import LONGEST_WAIT_S, MOST_ASKED, JobsAsked, JobsTold
from linstock.statuses import ENDED
from services.api import freshness
from services.api.freshness import Freshness
from services.api.problems import DATABASE_AWAY, Problem
from services.api.queries import app_jobs
from services.api.watch import Watch

logger = structlog.get_logger(__name__)

GROUP = "api"
AT_ONCE = 1_000


class Asked:
    def __init__(self, client: Client, pool: asyncpg.Pool, watch: Watch, fresh: Freshness) -> None:
        self._client = client
        self._pool = pool
        self._watch = watch
        self._fresh = fresh
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._client.subscribe(names.ALL_ASKED, queue=GROUP, cb=self._on_asked)

    async def stop(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _on_asked(self, message: Msg) -> None:
        if not message.reply:
            return
        if len(self._answering) >= AT_ONCE:
            await self._say(message, JobsTold(problem=f"{AT_ONCE} questions are being answered: ask again"))
            return
        task = asyncio.create_task(self._answer(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            told = await self._told(message)
        except DATABASE_AWAY:
            told = JobsTold(problem="the read models can't be reached")
        except (msgspec.DecodeError, ValueError, Problem) as error:
            told = JobsTold(problem=f"the question can't be read: {error}")
        await self._say(message, told)

    async def _say(self, message: Msg, told: JobsTold) -> None:
        try:
            await message.respond(msgspec.json.encode(told))
        except (nats.errors.Error, OSError) as error:
            logger.debug("An answer about jobs was not sent", error=repr(error))

    async def _told(self, message: Msg) -> JobsTold:
        _, workspace, _ = message.subject.split(".")
        asked = msgspec.json.decode(message.data, type=JobsAsked)
        if len(asked.ids) > MOST_ASKED:
            raise ValueError(f"at most {MOST_ASKED} jobs at once")
        position = freshness.parse(asked.position) if asked.position else {}
        caught_up = not position or await self._fresh.reached(position)
        loop = asyncio.get_running_loop()
        until = loop.time() + min(max(asked.wait_s, 0.0), LONGEST_WAIT_S)
        while True:
            turn = self._watch.turn
            caught_up = caught_up or await self._fresh.reached(position, within_s=0)
            jobs = await app_jobs.told(self._pool, workspace, asked.ids)
            late, unknown = loop.time() >= until, len(jobs) < len(set(asked.ids))
            if unknown and not caught_up:  # it may have been asked for, and not be shown yet
                if late:
                    return JobsTold(problem="the read models are behind")
            elif late or unknown or all(job.status in ENDED for job in jobs):  # what is unknown won't end by waiting
                return JobsTold(jobs=tuple(jobs))
            await self._watch.next(turn, within_s=until - loop.time())
