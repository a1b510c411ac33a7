"""Access tokens: 256 random bits, shown once, kept as their SHA-256 only.

A password needs a slow hash because people choose guessable ones; nobody guesses 256 random bits, so a fast one tells a
thief of the table as little.
"""

import hashlib
import re
import secrets
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from linstock.access.roles import Role

RANDOM_BYTES = 32
SHORT_ID = 8  # characters of the id that tell tokens apart for people; no two tokens share them

_TOKEN = re.compile(r"linstock_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_WORKSPACE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Token(Struct, frozen=True, kw_only=True):
    """Everything about a token but its secret."""

    token_id: UUID
    name: str
    role: Role
    workspace: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None
    usable: bool = True
    """Neither revoked nor expired, when it was read."""

    @property
    def short_id(self) -> str:
        return str(self.token_id)[:SHORT_ID]

    @property
    def actor(self) -> str:
        """Who did it, in every command and event: `token:<name>/<short id>`."""
        return f"token:{self.name}/{self.short_id}"


class BadName(Exception):
    """A token's name has 1 to 64 letters, digits and . _ @ - and begins with a letter or digit."""


class BadWorkspace(Exception):
    """A workspace's name has 1 to 63 small letters, digits and - and begins with a letter or digit."""


def new_secret() -> str:
    return f"linstock_{secrets.token_urlsafe(RANDOM_BYTES)}"


def is_secret(text: str) -> bool:
    """Whether it looks like a token."""
    return _TOKEN.fullmatch(text) is not None


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def check_name(name: str) -> None:
    """Raises BadName."""
    if not _NAME.fullmatch(name):
        raise BadName(BadName.__doc__)


def check_workspace(workspace: str) -> None:
    """Raises BadWorkspace: it becomes one token of NATS subjects."""
    if not _WORKSPACE.fullmatch(workspace):
        raise BadWorkspace(BadWorkspace.__doc__)
