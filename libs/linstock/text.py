"""Text that people give. Pure."""

import unicodedata

LINES = "\n\t\r"
"""What text of several lines may hold besides."""


def flaw(text: str, allowed: str = "") -> str | None:
    """Why `text` can't be stored, shown and typed again: a control character (but for `allowed`), or what has no UTF-8.
    The end of a sentence; None: it is fine."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
            return f"it holds the character U+{ord(character):04X}"
    return None
