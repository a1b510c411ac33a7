"""How far a run is, and why it is not further, over HTTP."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.api.dto.wire import Wire

Phase = Literal["preparing", "walking", "verifying", "concluding"]


class ProgressDto(Wire):
    """What a running scan has seen so far, told by the scanner at `at`; what an earlier attempt saw counts too. The
    rates are those of the last seconds. `percent` is of the files that the library's last completed scan saw, and never
    above 99; it, `expectedFiles` and `etaSeconds` are null where there is nothing to compare with. A verifying scan has
    read `verified` files of as many as it saw, from end to end."""

    phase: Phase
    files: int
    folders: int
    size_bytes: int
    collections: int
    images: int
    errors: int
    verified: int
    verified_bytes: int
    at: datetime
    files_per_second: float | None
    bytes_per_second: float | None
    expected_files: int | None
    percent: int | None
    eta_seconds: int | None


class PausedDto(Wire):
    """Who wants the run to rest, since when, and why."""

    by: str
    at: datetime
    reason: str


class WaitingDto(Wire):
    """Why a run does not start yet. `time`: not before `until`. `run`: an earlier one of its library is open. `device`:
    as many run on its disk as may. `worker`: nobody has taken it yet. `runIds` are those that it waits for."""

    reason: Literal["time", "run", "device", "worker"]
    run_ids: list[UUID]
    until: datetime | None = None
    device: str | None = None
