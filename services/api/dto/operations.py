"""Operations over HTTP: what became of a command."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from linstock.messages.answer import Answer
from services.api.dto.wire import Wire


class OperationDto(Wire):
    """What became of a command. `answer` is null while it is pending: {status, id, code, detail}."""

    id: UUID
    status: Literal["pending", "done", "refused"]
    command: str | None = None
    answer: Answer | None = None
    position: str | None = None
    handled_at: datetime | None = None
