"""What every service that owns a log has: the log, its relay, its retention, a broker, a watchdog, and the readiness of
each."""

from collections.abc import Callable
from datetime import UTC, datetime

from faststream.nats import NatsBroker
from nats.aio.client import Client

from linstock.bus.broker import make_broker
from linstock.bus.connection import close, connect_once
from linstock.bus.provision import provision_on
from linstock.bus.watchdog import DurableWatchdog
from linstock.disk import Disk
from linstock.eventlog.postgres import PostgresLog
from linstock.eventlog.relay import Relay
from linstock.eventlog.retention import RetentionClerk
from linstock.probes import Vitals
from linstock.settings import Settings


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Owner:
    """`open` first, register subscribers on `broker`, then `start`. `stop` undoes both; safe twice or half-way."""

    def __init__(self, name: str, settings: Settings, vitals: Vitals) -> None:
        self._name = name
        self._settings = settings
        self._vitals = vitals
        self.disk = Disk(settings.disk)
        self.broker: NatsBroker
        self.client: Client
        self._log: PostgresLog | None = None
        self._relay: Relay | None = None
        self._watchdog: DurableWatchdog | None = None
        self._retention: RetentionClerk | None = None
        self._broker_started = False
        self._connected = False

    async def open(self) -> PostgresLog:
        """Migrates and opens the log; connects to NATS and provisions. Raises whatever is away."""
        self.client = await connect_once(self._settings.nats_url, self._name)
        self._connected = True
        await provision_on(self.client)
        self._log = await PostgresLog.open(self._name, self._settings.database_url)
        self.broker = make_broker(self._settings.nats_url, f"{self._name}-broker")
        return self._log

    async def start(self, *, now: Callable[[], datetime] = _utc_now) -> None:
        """`now` is the clock that says what is old."""
        assert self._log
        self._retention = RetentionClerk(self._log, days=self._settings.retention_days, now=now)
        self._relay = Relay(self._log, dsn=self._settings.database_url, nats=self.client)
        self._watchdog = DurableWatchdog(self.client, self._name)
        self._vitals.check("nats", self._nats)
        self._vitals.check("relay", self._relayed)
        self._vitals.check("durables", self._durables)
        self._vitals.check("disk", self.disk.problem)
        await self._relay.start()
        self._broker_started = True
        await self.broker.start()
        await self._watchdog.start()
        await self._retention.start()

    async def stop(self) -> None:
        """Handlers first, so that what they append is still relayed."""
        if self._retention:
            await self._retention.stop()
            self._retention = None
        if self._watchdog:
            await self._watchdog.stop()
            self._watchdog = None
        if self._broker_started:
            self._broker_started = False
            await self.broker.stop()
        if self._relay:
            await self._relay.stop()
            self._relay = None
        if self._log:
            await self._log.close()
            self._log = None
        if self._connected:
            self._connected = False
            await close(self.client)

    async def _nats(self) -> str | None:
        return None if self.client.is_connected else "NATS is not connected"

    async def _relayed(self) -> str | None:
        return self._relay.problem if self._relay else "not started"

    async def _durables(self) -> str | None:
        return self._watchdog.problem if self._watchdog else "not started"
