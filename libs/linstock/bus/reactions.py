"""What a service does because of another service's event. At least once, perhaps late, perhaps out of order.

So a reaction decides on its own aggregate and its own guard (a version it has already followed), never on arrival.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from faststream.nats import NatsBroker
from faststream.nats.message import NatsMessage

from linstock import names
from linstock.bus import dead_letters, envelope
from linstock.bus.broker import bound, long_poll
from linstock.bus.inbox import NotYet
from linstock.eventlog.record import FutureInstant, Origin, Recorded

logger = structlog.get_logger(__name__)

WORKERS = 16
LONGEST_DELAY_S = 5.0


class Reactions:
    """Consumes the service's reaction durable, or another. `react` must be idempotent; NotYet, and any other error, has
    the event again later (with growing delay, for ever); what can't be decoded goes to the DLQ."""

    def __init__(
        self,
        broker: NatsBroker,
        *,
        service: str,
        react: Callable[[Recorded], Awaitable[None]],
        durable: str | None = None,
    ) -> None:
        self._broker = broker
        self._service = service
        self._react = react
        broker.subscriber(
            names.ALL_EVENTS,  # the durable's own filters decide; it is provisioned, never declared here
            stream=bound(names.EVENTS),
            durable=durable or names.reaction_durable(service),
            pull_sub=long_poll(),
            max_workers=WORKERS,
            no_reply=True,
            title=f"{durable or service} reactions",
        )(self._on_message)

    async def _on_message(self, message: NatsMessage) -> None:
        subject, body = message.raw_message.subject, message.raw_message.data
        try:
            recorded = envelope.from_message(dict(message.headers or {}), body, subject=subject).recorded
        except envelope.BadEnvelope as error:
            await dead_letters.bury(self._broker, message, consumer=f"{self._service}-reactions", reason=str(error))
            return
        delay_s = min(0.05 * 2 ** min(_deliveries(message), 10), LONGEST_DELAY_S)
        try:
            await self._react(recorded)
        except (NotYet, FutureInstant) as waiting:
            logger.debug("Reaction waits", event=recorded.type, reason=str(waiting))
            await message.nack(delay=delay_s)
        except Exception:
            logger.exception("Reaction failed, it will be tried again", event=recorded.type, delay_s=delay_s)
            await message.nack(delay=delay_s)
        else:
            await message.ack()


def following(recorded: Recorded, *, actor: str, at: datetime) -> Origin:
    """The origin of what an event sets off: same workspace, correlation and trace; caused by the event."""
    return Origin(
        workspace=recorded.workspace,
        actor=actor,
        at=at,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.event_id,
        traceparent=recorded.traceparent,
    )


def _deliveries(message: NatsMessage) -> int:
    return message.raw_message.metadata.num_delivered or 1
