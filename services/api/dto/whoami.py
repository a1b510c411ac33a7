"""The caller over HTTP."""

from linstock.access.roles import Role
from services.api.dto.wire import Wire


class WhoamiDto(Wire):
    actor: str
    role: Role
    workspace: str
