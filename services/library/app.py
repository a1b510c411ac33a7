"""Wires the library service: its log, its relay, its commands, and what it hears of its schedules."""

from datetime import UTC, datetime

from linstock import names
from linstock.bus.inbox import CommandInbox
from linstock.bus.reactions import Reactions
from linstock.lifecycle import Service
from linstock.messages.library import LibraryCommand
from linstock.owner import Owner
from linstock.probes import Vitals
from linstock.roots import AllowedRoots
from linstock.settings import Settings
from services.library.commands import LibraryPlanner
from services.library.reactions import Wishes


def build(settings: Settings, vitals: Vitals) -> Service:
    return LibraryService(settings, vitals)


class LibraryService:
    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self._settings = settings
        self._owner = Owner(names.LIBRARY, settings, vitals)

    async def start(self) -> None:
        log = await self._owner.open()
        CommandInbox(
            self._owner.broker,
            log=log,
            service=names.LIBRARY,
            commands=LibraryCommand,
            plan=LibraryPlanner(log, AllowedRoots(self._settings.allow_roots)).plan,
        )
        wishes = Wishes(log, now=lambda: datetime.now(UTC))
        Reactions(self._owner.broker, service=names.LIBRARY, react=wishes.react)
        await self._owner.start()

    async def stop(self) -> None:
        await self._owner.stop()
