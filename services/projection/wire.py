"""Messages of EVENTS as deliveries. An unreadable one ends the batch; what came before it still counts."""

from collections.abc import Sequence

from msgspec import Struct
from nats.aio.msg import Msg

from linstock.bus.envelope import BadEnvelope, Delivered, from_message


class Read(Struct, frozen=True):
    """`bad` stands right after `deliveries`."""

    deliveries: list[Delivered]
    bad: BadEnvelope | None = None


def read(messages: Sequence[Msg]) -> Read:
    deliveries = []
    for message in messages:
        try:
            deliveries.append(from_message(message.headers, message.data, subject=message.subject))
        except BadEnvelope as error:
            return Read(deliveries, error)
    return Read(deliveries)


def still_pending(message: Msg) -> int:
    """How many messages the consumer has yet to be sent after this one."""
    # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
    return int(message.reply.rsplit(".", 1)[1])
