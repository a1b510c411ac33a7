"""How thorough a scan is, in our words and in those of older systems."""

from typing import Annotated, Literal

from msgspec import Meta

Word = Literal["quick", "changed", "deep", "verify", "Incremental", "Full"]
ScanMode = Annotated[
    Word,
    Meta(
        description="`quick` looks only into folders that were changed themselves; `changed` (Incremental) compares "
        "sizes and times of every file; `deep` (Full) also opens every archive and reads every image's header"
    ),
]
Trigger = Literal["API", "Manual"]

_OURS = {"Incremental": "changed", "Full": "deep"}


def ours(word: Word) -> str:
    return _OURS.get(word, word)
