"""Wires the projection: one follower, and whether it keeps up."""

from linstock.disk import Disk
from linstock.presence import Presence
from linstock.probes import Vitals
from linstock.settings import Settings
from services.projection.follower import Follower


class ProjectionService:
    """Read models follow EVENTS from `start` to `stop`."""

    def __init__(self, database_url: str, nats_url: str) -> None:
        self._follower = Follower(database_url, nats_url)
        self.presence = Presence(database_url)

    async def start(self) -> None:
        await self.presence.start()
        await self._follower.start()

    async def stop(self) -> None:
        await self._follower.stop()
        await self.presence.stop()

    async def unready(self) -> str | None:
        return self._follower.problem


def build(settings: Settings, vitals: Vitals) -> ProjectionService:
    service = ProjectionService(settings.database_url, settings.nats_url)
    vitals.check("read models", service.unready)
    vitals.check("database", service.presence.check)
    vitals.check("disk", Disk(settings.disk).problem)
    return service
