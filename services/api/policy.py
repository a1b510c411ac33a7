"""What each route needs: the one place that says so. A route that is missing here keeps the API from starting."""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from litestar import Litestar
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute

from linstock.access.roles import ADMIN, OPERATOR, VIEWER, Role

Needed: TypeAlias = Role | Literal["public"]
PUBLIC: Literal["public"] = "public"

# By the handler's name, which is also its operation id.
POLICY: dict[str, Needed] = {
    "welcome": PUBLIC,
    "openapi_document": PUBLIC,
    "whoami": VIEWER,
    # libraries
    "list_libraries": VIEWER,
    "get_library": VIEWER,
    "create_library": ADMIN,
    "change_library": ADMIN,
    "delete_library": ADMIN,
    # what they hold, how it grows, how runs go
    "list_all_collections": VIEWER,
    "list_collections": VIEWER,
    "get_collection": VIEWER,
    "get_library_statistics": VIEWER,
    "get_statistics": VIEWER,
    "list_files": VIEWER,
    # what scans did not find
    "list_removals": VIEWER,
    "approve_removals": OPERATOR,
    "reject_removals": OPERATOR,
    "purge_missing": ADMIN,
    "clean_thumbnails": ADMIN,
    "preview_exclusions": VIEWER,
    "get_cover": VIEWER,
    "list_quarantined_files": VIEWER,
    # scans
    "start_scan": OPERATOR,
    "hint_paths": OPERATOR,
    "list_scans": VIEWER,
    "get_scan": VIEWER,
    "list_scan_changes": VIEWER,
    "diff_scans": VIEWER,
    "list_duplicates": VIEWER,
    "list_rot": VIEWER,
    "accept_rot": OPERATOR,
    "undo_scan": OPERATOR,
    "list_undone_changes": VIEWER,
    # scheduled jobs and their runs
    "list_scheduled_jobs": VIEWER,
    "get_scheduled_job": VIEWER,
    "get_scheduled_job_of_library": VIEWER,
    "list_active_scheduled_jobs": VIEWER,
    "preview_scheduled_job": VIEWER,
    "list_scheduled_job_runs": VIEWER,
    "list_recent_scheduled_job_runs": VIEWER,
    "list_scheduled_job_ticks": VIEWER,
    "list_scheduled_job_versions": VIEWER,
    "diff_scheduled_job_version": VIEWER,
    "list_runs": VIEWER,
    "stream_run": VIEWER,
    "get_run": VIEWER,
    "create_scheduled_job": ADMIN,
    "change_scheduled_job": ADMIN,
    "restore_scheduled_job": ADMIN,
    "delete_scheduled_job": ADMIN,
    "enable_scheduled_job": OPERATOR,
    "disable_scheduled_job": OPERATOR,
    "pause_scheduled_job": OPERATOR,
    "resume_scheduled_job": OPERATOR,
    "pause_scheduled_jobs": OPERATOR,
    "resume_scheduled_jobs": OPERATOR,
    "trigger_scheduled_job": OPERATOR,
    "backfill_scheduled_job": OPERATOR,
    "cancel_run": OPERATOR,
    "pause_run": OPERATOR,
    "resume_run": OPERATOR,
    # jobs of applications
    "list_jobs": VIEWER,
    "get_job": VIEWER,
    "list_queues": VIEWER,
    "list_workers": VIEWER,
    "enqueue_job": OPERATOR,
    "cancel_job": OPERATOR,
    "retry_job": OPERATOR,
    # days on which they do not fire
    "list_calendars": VIEWER,
    "get_calendar": VIEWER,
    "put_calendar": ADMIN,
    "delete_calendar": ADMIN,
    # events
    "list_events": VIEWER,
    "get_event": VIEWER,
    "stream_events": VIEWER,
    # commands
    "get_operation": VIEWER,
}

# Litestar makes these handlers itself, under names that anything could have: the pages that show the OpenAPI document …
_PAGES = "/docs"
# … and for each path one that says which methods it takes.
_ONLY_OPTIONS = {"OPTIONS"}


class BadPolicy(Exception):
    """services/api/policy.py does not fit the routes:"""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join([self.__doc__ or "", *faults]))
        self.faults = faults


def of(app: Litestar, policy: Mapping[str, Needed] = POLICY) -> dict[BaseRouteHandler, Needed]:
    """What each handler of `app` needs. Raises BadPolicy."""
    needed: dict[BaseRouteHandler, Needed] = {}
    named: dict[str, object] = {}
    faults: dict[str, None] = {}  # once each, however many paths a handler has
    for path, handler in handlers(app):
        if handler.http_methods == _ONLY_OPTIONS or path == _PAGES or path.startswith(f"{_PAGES}/"):
            needed[handler] = PUBLIC
            continue
        name = handler.handler_name
        if named.setdefault(name, handler.fn) is not handler.fn:
            faults[f"Two handlers are called {name}: rename one."] = None
        if name in policy:
            needed[handler] = policy[name]
        else:
            faults[f"{name} has no role: add it to POLICY as PUBLIC, VIEWER, OPERATOR or ADMIN."] = None
    faults.update({f"{name} is no route: take it out of POLICY.": None for name in policy if name not in named})
    if faults:
        raise BadPolicy(list(faults))
    return needed


def handlers(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Each with its path; one that is at two paths comes twice."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise BadPolicy([f"{route.path} is no HTTP route, and only those are guarded."])
        for handler in route.route_handlers:
            yield route.path_format, handler
