"""Where things are."""

from services.api.dto.wire import Wire


class WelcomeDto(Wire):
    name: str
    docs: str
    openapi: str
    libraries: str
    scheduled_jobs: str
    events: str
