"""How commands end: exit codes, and the exception that carries one."""

from collections.abc import Iterator
from enum import IntEnum

import rich_click as click


class Exit(IntEnum):
    """Stable: scripts compare them. docs/cli.md and `linstock --help` show them."""

    OK = 0, "done"
    FAILED = 1, "what was asked for failed, such as the scan that was waited for"
    USAGE = 2, "the command or a value in it is wrong"
    UNREACHABLE = 3, "nothing runs there, or it cannot answer now"
    NOT_FOUND = 4, "there is no such thing"
    REFUSED = 5, "it conflicts with what is there"
    NOT_ALLOWED = 6, "a token is missing, or its role is too low"
    INTERRUPTED = 130, "Ctrl-C"

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class Ended(click.ClickException):
    """A command that could not do what was asked: a sentence, and what to do next."""

    def __init__(self, sentence: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = int(code)  # type: ignore[misc]  # click reads the instance's


def table() -> Iterator[str]:
    """A line for each exit code."""
    return (f"{member.value:>3}  {member.meaning}" for member in Exit)
