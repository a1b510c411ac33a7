"""What a library's settings must be, wherever they come from. Pure."""

import posixpath
from collections.abc import Sequence

from msgspec.structs import replace

from linstock import cron, patterns, text
from linstock.messages.library import DEFAULT_EXTENSIONS, RemovalGuard, Settings

NAME_LIMIT = 200  # characters
DESCRIPTION_LIMIT = 2000  # characters
PATH_LIMIT_BYTES = 4096  # PATH_MAX of Linux
COMPONENT_LIMIT_BYTES = 255  # NAME_MAX of Linux
KERNEL_TREES = ("/proc", "/sys", "/dev")
"""Reading what lies there can block for ever, or does something."""
PATTERNS_LIMIT = 64
PATTERN_LIMIT = 200  # characters
REMOVED_LIMIT = 1_000_000
PURGE_DAYS_LIMIT = 36_500


class InvalidSettings(Exception):
    """A library can't have these settings."""

    def __init__(self, field: str, reason: str) -> None:
        """`field` is named as over HTTP; `reason` is a sentence's end."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def tidy(settings: Settings) -> Settings:
    """The same settings, written in the one way that is compared and stored."""
    return replace(
        settings,
        name=settings.name.strip(),
        path=_normal(settings.path),
        cron_expression=" ".join(settings.cron_expression.split()),
        extensions=tuple(sorted({_extension(each) for each in settings.extensions})),
    )


def check(settings: Settings) -> None:
    """Raises InvalidSettings for the first field that is wrong."""
    if not 1 <= len(settings.name) <= NAME_LIMIT:
        raise InvalidSettings("name", f"a name has 1 to {NAME_LIMIT} characters")
    _check_text("name", settings.name)
    if len(settings.description) > DESCRIPTION_LIMIT:
        raise InvalidSettings("description", f"a description has at most {DESCRIPTION_LIMIT} characters")
    _check_text("description", settings.description, text.LINES)
    _check_path(settings.path)
    _check_patterns(settings.exclude_patterns)
    _check_extensions(settings.extensions)
    _check_guard(settings.guard)
    if not 0 <= settings.purge_missing_after_days <= PURGE_DAYS_LIMIT:
        raise InvalidSettings("purgeMissingAfterDays", f"0 (never) to {PURGE_DAYS_LIMIT} days")
    try:
        cron.check(settings.cron_expression, settings.time_zone)
    except cron.InvalidCron as error:
        field = "timeZone" if error.field == "zone" else "cronExpression"
        raise InvalidSettings(field, str(error)) from error


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise InvalidSettings("path", "a path is absolute: it starts with /")
    _check_text("path", path)
    if len(path.encode()) > PATH_LIMIT_BYTES:
        raise InvalidSettings("path", f"a path has at most {PATH_LIMIT_BYTES} bytes")
    if any(len(name.encode()) > COMPONENT_LIMIT_BYTES for name in path.split("/")):
        raise InvalidSettings("path", f"a folder's name has at most {COMPONENT_LIMIT_BYTES} bytes")
    if any(path == tree or path.startswith(f"{tree}/") for tree in KERNEL_TREES):
        raise InvalidSettings("path", f"what lies in {', '.join(KERNEL_TREES)} are no files of anybody's")


def _check_patterns(lines: Sequence[str]) -> None:
    if len(lines) > PATTERNS_LIMIT:
        raise InvalidSettings("excludePatterns", f"there are at most {PATTERNS_LIMIT} patterns")
    for index, pattern in enumerate(lines):
        where = f"excludePatterns/{index}"
        if not pattern.strip() or len(pattern) > PATTERN_LIMIT:
            raise InvalidSettings(where, f"a pattern has 1 to {PATTERN_LIMIT} characters")
        _check_text(where, pattern)
        if reason := patterns.flaw(pattern):
            raise InvalidSettings(where, reason)


def _check_extensions(extensions: Sequence[str]) -> None:
    if not extensions:
        raise InvalidSettings("extensions", f"at least one of {' '.join(DEFAULT_EXTENSIONS)}")
    for extension in extensions:
        if extension not in DEFAULT_EXTENSIONS:
            raise InvalidSettings("extensions", f"{extension} is none of {' '.join(DEFAULT_EXTENSIONS)}")


def _check_guard(guard: RemovalGuard) -> None:
    if not 0 <= guard.max_removed_percent <= 100:
        raise InvalidSettings("guard/maxRemovedPercent", "a percentage is 0 to 100")
    for field, given in (("maxRemoved", guard.max_removed), ("minAlways", guard.min_always)):
        if not 0 <= given <= REMOVED_LIMIT:
            raise InvalidSettings(f"guard/{field}", f"0 to {REMOVED_LIMIT} collections")


def _check_text(field: str, given: str, allowed: str = "") -> None:
    if reason := text.flaw(given, allowed):
        raise InvalidSettings(field, reason)


def _normal(path: str) -> str:
    """Without `..`, doubled and trailing slashes; POSIX keeps two leading ones, and we do not."""
    normal = posixpath.normpath(path) if path.startswith("/") else path
    return normal[1:] if normal.startswith("//") else normal


def _extension(given: str) -> str:
    lowered = given.lower()
    return lowered if lowered.startswith(".") else f".{lowered}"
