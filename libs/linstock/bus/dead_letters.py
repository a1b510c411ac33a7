"""Where a message goes that nobody can read: the DLQ stream, whole, with the reason. Then it is terminated."""

from typing import TYPE_CHECKING

from linstock import names
from linstock.logs import get_logger

if TYPE_CHECKING:  # applications that only run jobs have no FastStream
    from faststream.nats import NatsBroker
    from faststream.nats.message import NatsMessage

logger = get_logger(__name__)

REASON_LIMIT = 500
UNREADABLE = "unreadable"


def headers_for(subject: str, headers: dict[str, str], reason: str) -> dict[str, str]:
    """The message's own headers, and where it came from and why it is here."""
    return {
        **{name: value for name, value in headers.items() if not name.lower().startswith("nats-")},
        "ls-dlq-subject": subject,
        "ls-dlq-reason": reason.replace("\r", " ").replace("\n", " ")[:REASON_LIMIT],
    }


async def bury(broker: "NatsBroker", message: "NatsMessage", *, consumer: str, reason: str) -> None:
    """Stored in DLQ first, terminated then: a crash between the two leaves it in both, never in neither."""
    subject = message.raw_message.subject
    logger.error("Message can't be read, it goes to the DLQ", consumer=consumer, subject=subject, reason=reason)
    await broker.publish(
        message.raw_message.data,
        names.dlq_subject(consumer, UNREADABLE),
        headers=headers_for(subject, dict(message.headers or {}), reason),
        stream=names.DLQ,
        timeout=5,
    )
    await message.reject()
