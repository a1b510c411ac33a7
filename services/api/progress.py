"""How far running scans are, beside what the read models say of them."""

from collections.abc import Iterable
from typing import get_args

from linstock.messages.progress import ScanProgress
from services.api.context import Context
from services.api.dto.progress import Phase, ProgressDto
from services.api.dto.scans import ScanDto
from services.api.dto.schedules import ScheduledJobRunDto
from services.api.queries import scans

RUNNING = "Running"
HIGHEST_PERCENT = 99  # only its verdict says that a scan has ended


async def add(context: Context, shown: Iterable[ScanDto | ScheduledJobRunDto]) -> None:
    """To each that runs and has said something."""
    for scan in shown:
        said = context.heard.of(context.workspace, scan.id) if scan.status == RUNNING else None
        if said and said.at and scan.library_id:
            before = await scans.files_of_last(context.pool, context.workspace, scan.library_id)
            scan.progress = progress(said, before)


def progress(said: ScanProgress, files_before: int) -> ProgressDto:
    """`files_before`: what the last completed scan of the library saw, 0 if there was none."""
    assert said.at
    left = files_before - said.files
    pace = said.files_per_s
    if pace is None and said.elapsed_ms:
        pace = said.files * 1000 / said.elapsed_ms
    return ProgressDto(
        phase=_phase(said.phase),
        size_bytes=said.size_bytes,
        verified=said.verified,
        verified_bytes=said.verified_bytes,
        files_per_second=said.files_per_s,
        bytes_per_second=said.bytes_per_s,
        expected_files=files_before or None,
        files=said.files,
        folders=said.folders,
        collections=said.collections,
        images=said.images,
        errors=said.errors,
        at=said.at,
        percent=min(HIGHEST_PERCENT, said.files * 100 // files_before) if files_before else None,
        eta_seconds=round(left / pace) if pace and left > 0 else None,
    )


def _phase(said: str) -> Phase:
    """A scanner of another version may say something else."""
    return said if said in get_args(Phase) else "walking"  # type: ignore[return-value]
