"""Whose runs are counted: a workspace's, a schedule's, a library's."""

from uuid import UUID


def scopes(workspace: str, schedule_id: UUID | None, library_id: UUID | None) -> tuple[str, str | None, str | None]:
    """Of one run: the workspace's scope, its schedule's and its library's. Whoever reads them writes them so too."""
    return (
        workspace,
        None if schedule_id is None else f"{workspace}/{schedule_id}",
        None if library_id is None else f"{workspace}/{library_id}",
    )
