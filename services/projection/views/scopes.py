"""Whose runs are counted: a workspace's, a schedule's, a library's. What comes by itself is counted apart."""

from uuid import UUID

from linstock.messages.job import APART


def scopes(
    workspace: str, schedule_id: UUID | None, library_id: UUID | None, job_type: str
) -> tuple[str, str | None, str | None]:
    """Of one run: the workspace's scope, its schedule's and its library's. Whoever reads them writes them so too."""
    if job_type in APART:
        workspace = f"{workspace}/{job_type}"
    return (
        workspace,
        None if schedule_id is None else f"{workspace}/{schedule_id}",
        None if library_id is None else f"{workspace}/{library_id}",
    )
