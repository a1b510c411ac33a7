"""How thorough a scan is, in our words and in those of older systems."""

from typing import Annotated, Literal

from msgspec import Meta

Word = Literal["changed", "deep", "Incremental", "Full"]
ScanMode = Annotated[
    Word,
    Meta(description="`changed` (Incremental) compares sizes and times; `deep` (Full) also opens every archive"),
]
Trigger = Literal["API", "Manual"]

_OURS = {"Incremental": "changed", "Full": "deep"}


def ours(word: Word) -> str:
    return _OURS.get(word, word)
