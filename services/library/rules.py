"""What a library's settings must be, wherever they come from. Pure."""

from linstock import cron
from linstock.messages.library import Settings

NAME_LIMIT = 200  # characters
DESCRIPTION_LIMIT = 2000  # characters
PATH_LIMIT_BYTES = 4096  # PATH_MAX of Linux


class InvalidSettings(Exception):
    """A library can't have these settings."""

    def __init__(self, field: str, reason: str) -> None:
        """`field` is named as over HTTP; `reason` is a sentence's end."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def check(settings: Settings) -> None:
    """Raises InvalidSettings for the first field that is wrong."""
    if not 1 <= len(settings.name.strip()) <= NAME_LIMIT:
        raise InvalidSettings("name", f"a name has 1 to {NAME_LIMIT} characters")
    if len(settings.description) > DESCRIPTION_LIMIT:
        raise InvalidSettings("description", f"a description has at most {DESCRIPTION_LIMIT} characters")
    _check_path(settings.path)
    try:
        cron.check(settings.cron_expression, settings.time_zone)
    except cron.InvalidCron as error:
        field = "timeZone" if error.field == "zone" else "cronExpression"
        raise InvalidSettings(field, str(error)) from error


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise InvalidSettings("path", "a path is absolute: it starts with /")
    if "\0" in path:
        raise InvalidSettings("path", "a path has no NUL character")
    if len(path.encode("utf-8", "surrogateescape")) > PATH_LIMIT_BYTES:
        raise InvalidSettings("path", f"a path has at most {PATH_LIMIT_BYTES} bytes")
