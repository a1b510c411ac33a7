"""Whose runs are counted: a workspace's, a schedule's, a library's. What follows scans by itself is counted apart."""

from uuid import UUID

from linstock.messages.job import ENRICH


def scopes(
    workspace: str, schedule_id: UUID | None, library_id: UUID | None, job_type: str
) -> tuple[str, str | None, str | None]:
    """Of one run: the workspace's scope, its schedule's and its library's. Whoever reads them writes them so too."""
    if job_type == ENRICH:
        workspace = f"{workspace}/{ENRICH}"
    return (
        workspace,
        None if schedule_id is None else f"{workspace}/{schedule_id}",
        None if library_id is None else f"{workspace}/{library_id}",
    )
