"""How far a running scan is: compared with the last one, and never called done."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from linstock import names
from linstock.messages.progress import ScanProgress
from services.api import heard
from services.api.heard import Heard
from services.api.progress import progress

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(files: int, elapsed_ms: int = 3000) -> ScanProgress:
    return ScanProgress(files=files, folders=1, collections=1, elapsed_ms=elapsed_ms, at=AT)


@pytest.mark.parametrize(
    ("files", "before", "percent", "eta"),
    [
        (0, 0, None, None),
        (30, 0, None, None),
        (0, 40, 0, None),
        (30, 40, 75, 1),
        (40, 40, 99, None),
        (90, 40, 99, None),
    ],
)
def test_it_is_compared_with_the_last_completed_scan(
    files: int, before: int, percent: int | None, eta: int | None
) -> None:
    shown = progress(said(files), before)
    assert (shown.files, shown.at, shown.percent, shown.eta_seconds) == (files, AT, percent, eta)


def message(scan: int, body: bytes, workspace: str = "default") -> Msg:
    return Msg(Client(), subject=names.progress_subject(workspace, UUID(int=scan)), data=body)


async def test_the_latest_of_each_is_kept_and_of_no_more_than_there_is_room_for() -> None:
    listening = Heard()
    for scan in range(heard.MOST):
        await listening.hear(message(scan, msgspec.json.encode(said(1))))
    await listening.hear(message(0, msgspec.json.encode(said(2))))
    await listening.hear(message(heard.MOST, msgspec.json.encode(said(3))))
    assert listening.of("default", UUID(int=0)) == said(2)
    assert listening.of("default", UUID(int=1)) is None  # it had been silent for the longest
    assert listening.of("default", UUID(int=heard.MOST)) == said(3)
    assert listening.of("theirs", UUID(int=0)) is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"files":"many"}', b"\xff", b'{"x":"' + b"x" * 5000 + b'"}'])
async def test_what_is_not_readable_changes_nothing(body: bytes) -> None:
    listening = Heard()
    await listening.hear(message(1, msgspec.json.encode(said(1))))
    await listening.hear(message(1, body))
    assert listening.of("default", UUID(int=1)) == said(1)
