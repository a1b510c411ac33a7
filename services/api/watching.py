"""How changes on the disks of libraries are noticed, as scanners say, beside what the read models say of them."""

from collections.abc import Iterable
from typing import cast

from services.api.context import Context
from services.api.dto.libraries import LibraryDto, Mode, WatchingDto


def add(context: Context, shown: Iterable[LibraryDto]) -> None:
    """To each that is to be watched."""
    for library in shown:
        if library.watch:
            library.watching = _said(context, library)


def _said(context: Context, library: LibraryDto) -> WatchingDto:
    said = context.heard.watching(context.workspace, library.id)
    if said is None:
        return WatchingDto(mode="off", reason="No scanner says that it watches this library.")
    return WatchingDto(mode=cast("Mode", said.mode), since=said.since, reason=said.reason)
