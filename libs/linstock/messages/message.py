"""What all messages have in common: frozen, keyword-only, camelCase on the wire."""

from msgspec import Raw, Struct

NOTHING = Raw(b"null")
"""JSON that is not there."""


class Message(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=False, gc=False):
    """One command, event or part of one. Equal by value; safe to share between threads."""
