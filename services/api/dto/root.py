"""Where things are."""

from services.api.dto.wire import Wire


class WelcomeDto(Wire):
    name: str
    openapi: str
    libraries: str
    scheduled_jobs: str
