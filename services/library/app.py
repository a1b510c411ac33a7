"""Wires the library service: its log, its relay, its commands."""

from linstock import names
from linstock.bus.inbox import CommandInbox
from linstock.lifecycle import Service
from linstock.messages.library import LibraryCommand
from linstock.owner import Owner
from linstock.probes import Vitals
from linstock.settings import Settings
from services.library.commands import LibraryPlanner


def build(settings: Settings, vitals: Vitals) -> Service:
    return LibraryService(settings, vitals)


class LibraryService:
    def __init__(self, settings: Settings, vitals: Vitals) -> None:
        self._owner = Owner(names.LIBRARY, settings, vitals)

    async def start(self) -> None:
        log = await self._owner.open()
        CommandInbox(
            self._owner.broker,
            log=log,
            service=names.LIBRARY,
            commands=LibraryCommand,
            plan=LibraryPlanner(log).plan,
        )
        await self._owner.start()

    async def stop(self) -> None:
        await self._owner.stop()
