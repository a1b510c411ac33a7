"""Every route has been tried with input that is wrong: one without a case here fails."""

from typing import Any, cast

import httpx
import pytest
from litestar.routes import HTTPRoute
from msgspec import Struct

from services.api import http
from services.api.callers import Callers
from services.api.context import Context
from tests.integration.api.conftest import Owner

NOBODY = "00000000-0000-4000-8000-000000000000"
ELSEWHERE = {"host": "evil.example"}


class Bad(Struct, frozen=True, kw_only=True):
    """A request that must be refused, with this status and code, before it reaches any owner."""

    status: int
    code: str
    query: str = ""
    ids: str = NOBODY
    body: Any = None
    headers: dict[str, str] = {}


FOREIGN = Bad(status=403, code="host-not-allowed", headers=ELSEWHERE)
NO_ID = Bad(status=404, code="not-found", ids="not-an-id")
UNKNOWN_PARAMETER = Bad(status=422, code="invalid", query="?colour=red")
NO_PAGE = Bad(status=422, code="invalid", query="?pageSize=0")
MISSPELT = Bad(status=422, code="invalid", body={"nmae": "x"})
NO_OBJECT = Bad(status=422, code="invalid", body=[])
BAD_KEY = Bad(status=400, code="malformed-idempotency-key", body={}, headers={"Idempotency-Key": "two words"})
BAD_MATCH = Bad(status=400, code="malformed-if-match", body={}, headers={"If-Match": "7"})
BAD_MODE = Bad(status=422, code="invalid", body={"scanMode": "thorough"})


def missing(what: str) -> Bad:
    return Bad(status=404, code=f"{what}-not-found")


def bad_query(query: str) -> Bad:
    return Bad(status=422, code="invalid", query=f"?{query}")


BAD_INPUT: dict[tuple[str, str], list[Bad]] = {
    ("GET", "/"): [FOREIGN],
    ("GET", "/openapi.json"): [FOREIGN],
    ("GET", "/api/openapi.json"): [FOREIGN],
    ("GET", "/api/v1/whoami"): [UNKNOWN_PARAMETER, FOREIGN],
    ("GET", "/api/v1/libraries"): [UNKNOWN_PARAMETER, NO_PAGE],
    ("POST", "/api/v1/libraries"): [MISSPELT, NO_OBJECT, Bad(status=422, code="invalid", body={"name": "x"})],
    ("GET", "/api/v1/libraries/{library_id}"): [missing("library"), NO_ID],
    ("PATCH", "/api/v1/libraries/{library_id}"): [MISSPELT, BAD_MATCH, BAD_KEY, NO_ID],
    ("DELETE", "/api/v1/libraries/{library_id}"): [BAD_MATCH, BAD_KEY, NO_ID],
    ("GET", "/api/v1/libraries/{library_id}/collections"): [missing("library"), NO_PAGE],
    ("GET", "/api/v1/libraries/{library_id}/statistics"): [missing("library"), bad_query("days=0"), NO_ID],
    ("GET", "/api/v1/libraries/{library_id}/removals"): [missing("library"), NO_PAGE, NO_ID],
    ("POST", "/api/v1/libraries/{library_id}/removals/{scan_id}/approve"): [missing("library"), NO_ID],
    ("POST", "/api/v1/libraries/{library_id}/removals/{scan_id}/reject"): [missing("library"), NO_ID],
    ("POST", "/api/v1/libraries/{library_id}/missing/purge"): [
        Bad(status=404, code="library-not-found", body={"dryRun": True}),
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={"olderThanDays": -1}),
        Bad(status=422, code="invalid", body={"collectionIds": ["a"]}),
    ],
    ("POST", "/api/v1/maintenance/thumbnails/clean"): [
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={"dryRun": "yes"}),
    ],
    ("GET", "/api/v1/jobs"): [bad_query("status=Gone"), bad_query("queue=" + "q" * 64), NO_PAGE, UNKNOWN_PARAMETER],
    ("POST", "/api/v1/jobs"): [
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={}),
        Bad(status=422, code="invalid", body={"jobType": "mail", "priority": 11}),
        Bad(status=422, code="invalid", body={"jobType": "mail", "parameters": [1]}),
        Bad(
            status=400,
            code="malformed-idempotency-key",
            body={"jobType": "m"},
            headers={"Idempotency-Key": "two words"},
        ),
    ],
    ("GET", "/api/v1/jobs/{job_id}"): [missing("job"), NO_ID],
    ("POST", "/api/v1/jobs/{job_id}/cancel"): [MISSPELT, NO_OBJECT, BAD_KEY, NO_ID],
    ("POST", "/api/v1/jobs/{job_id}/retry"): [NO_ID, FOREIGN],
    ("GET", "/api/v1/queues"): [UNKNOWN_PARAMETER, FOREIGN],
    ("GET", "/api/v1/workers"): [UNKNOWN_PARAMETER, FOREIGN],
    ("GET", "/api/v1/collections"): [bad_query("state=gone"), bad_query("sort=size"), NO_PAGE],
    ("GET", "/api/v1/collections/{collection_id}"): [missing("collection"), NO_ID],
    ("GET", "/api/v1/collections/{collection_id}/files"): [missing("collection"), NO_PAGE, NO_ID],
    ("GET", "/api/v1/collections/{collection_id}/cover"): [
        missing("collection"),
        bad_query("size=161"),
        bad_query("hash=x"),
        NO_ID,
    ],
    ("GET", "/api/v1/duplicates"): [bad_query("libraryId=1"), NO_PAGE, UNKNOWN_PARAMETER],
    ("GET", "/api/v1/libraries/{library_id}/rot"): [missing("library"), NO_PAGE, NO_ID],
    ("POST", "/api/v1/libraries/{library_id}/rot/accept"): [missing("library"), NO_ID],
    ("GET", "/api/v1/libraries/{library_id}/quarantine"): [missing("library"), NO_PAGE, UNKNOWN_PARAMETER],
    ("GET", "/api/v1/statistics"): [bad_query("days=367"), UNKNOWN_PARAMETER],
    ("GET", "/api/v1/libraries/{library_id}/scans"): [missing("library"), NO_PAGE],
    ("POST", "/api/v1/libraries/{library_id}/scans"): [
        missing("library"),
        BAD_MODE,
        MISSPELT,
        Bad(status=422, code="invalid", body={"scope": {}}),
        Bad(status=422, code="invalid", body={"scope": {"path": "a", "pathBytes": "no base64"}}),
        Bad(status=422, code="invalid", body={"dryRun": "yes"}),
    ],
    ("POST", "/api/v1/libraries/{library_id}/hints"): [
        Bad(status=404, code="library-not-found", body={"paths": ["a"]}),
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={"paths": []}),
        Bad(status=422, code="invalid", body={"paths": ["a"] * 1001}),
        Bad(status=422, code="invalid", body={"paths": [1]}),
    ],
    ("POST", "/api/v1/libraries/{library_id}/exclusions/preview"): [
        Bad(status=404, code="library-not-found", body={"patterns": ["a"]}),
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={"patterns": ["x" * 201]}),
        Bad(status=422, code="invalid", body={"patterns": ["a"], "limit": 101}),
    ],
    ("GET", "/api/v1/scans/{scan_id}"): [missing("scan"), NO_ID],
    ("GET", "/api/v1/scans/{scan_id}/changes"): [missing("scan"), bad_query("kind=eaten"), NO_PAGE, NO_ID],
    ("POST", "/api/v1/scans/{scan_id}/undo"): [
        Bad(status=404, code="scan-not-found", body={"dryRun": True}),
        MISSPELT,
        NO_OBJECT,
        Bad(status=422, code="invalid", body={"dryRun": "yes"}),
    ],
    ("GET", "/api/v1/scans/{scan_id}/undo"): [missing("scan"), NO_PAGE, NO_ID],
    ("GET", "/api/v1/scans/{scan_id}/diff"): [
        UNKNOWN_PARAMETER,
        bad_query("against=yesterday"),
        Bad(status=404, code="scan-not-found", query=f"?against={NOBODY}"),
    ],
    ("GET", "/api/v1/runs"): [
        bad_query("status=Sleeping"),
        bad_query("jobType=Dance"),
        bad_query("libraryId=1"),
        UNKNOWN_PARAMETER,
        NO_PAGE,
    ],
    ("GET", "/api/v1/runs/{run_id}"): [missing("run"), NO_ID],
    ("POST", "/api/v1/runs/{run_id}/cancel"): [MISSPELT, BAD_KEY, Bad(status=422, code="invalid", body={"reason": 1})],
    ("GET", "/api/v1/runs/{run_id}/stream"): [missing("run"), NO_ID],
    ("POST", "/api/v1/runs/{run_id}/pause"): [MISSPELT, BAD_KEY, Bad(status=422, code="invalid", body={"reason": 1})],
    ("POST", "/api/v1/runs/{run_id}/resume"): [MISSPELT, BAD_KEY, Bad(status=422, code="invalid", body={"reason": 1})],
    ("GET", "/api/v1/events"): [
        UNKNOWN_PARAMETER,
        bad_query("limit=201"),
        bad_query("type=linstock.library.dreamt.v1"),
        bad_query("from=yesterday"),
        Bad(status=400, code="malformed-cursor", query="?cursor=12"),
    ],
    ("GET", "/api/v1/events/{event_id}"): [missing("event"), NO_ID],
    ("GET", "/api/v1/events/stream"): [
        UNKNOWN_PARAMETER,
        FOREIGN,
        bad_query("libraryId=nobody"),
        Bad(status=400, code="malformed-cursor", headers={"Last-Event-ID": "12"}),
    ],
    ("GET", "/api/v1/calendars"): [UNKNOWN_PARAMETER, NO_PAGE],
    ("GET", "/api/v1/calendars/{name}"): [missing("calendar"), UNKNOWN_PARAMETER],
    ("PUT", "/api/v1/calendars/{name}"): [
        MISSPELT,
        NO_OBJECT,
        Bad(status=400, code="malformed-if-match", body={"days": []}, headers={"If-Match": "7"}),
        Bad(status=422, code="invalid", body={"days": ["2026-02-30"]}),
        Bad(status=422, code="invalid", body={"days": ["2026-12-25"] * 1001}),
    ],
    ("DELETE", "/api/v1/calendars/{name}"): [BAD_MATCH, BAD_KEY],
    ("GET", "/api/v1/operations/{command_id}"): [missing("operation"), NO_ID],
}
for name in ("scheduledjobs", "schedules"):
    BAD_INPUT |= {
        ("GET", f"/api/v1/{name}"): [UNKNOWN_PARAMETER, NO_PAGE],
        ("POST", f"/api/v1/{name}"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={}),
            Bad(status=422, code="invalid", body={"parameters": {"libraryId": NOBODY}}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "priority": 11}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "scheduleType": "Interval"}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "intervalMinutes": 0}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "misfirePolicy": "sometimes"}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "startsAt": "2026-03-29T02:30:00"}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "maxRuns": 0}),
            Bad(status=422, code="invalid", body={"libraryId": NOBODY, "calendars": ["x"] * 11}),
        ],
        ("GET", f"/api/v1/{name}/{{schedule_id}}"): [missing("scheduled-job"), NO_ID],
        ("PATCH", f"/api/v1/{name}/{{schedule_id}}"): [
            MISSPELT,
            BAD_MODE,
            BAD_MATCH,
            Bad(status=422, code="invalid", body={"scheduleType": "Cron"}),
            Bad(status=422, code="invalid", body={"cronExpression": "* * * * *", "intervalMinutes": 5}),
            Bad(status=422, code="invalid", body={"excluded": [{"first": "2026-03-29T02:30:00Z"}]}),
            Bad(status=422, code="invalid", body={"jitterSeconds": 1.5}),
            Bad(status=422, code="invalid", body={"startsAt": "0001-01-01T00:00:00+14:00"}),
        ],
        ("PUT", f"/api/v1/{name}/{{schedule_id}}"): [
            MISSPELT,
            BAD_KEY,
            Bad(status=422, code="invalid", body={"id": NOBODY}),
        ],
        ("DELETE", f"/api/v1/{name}/{{schedule_id}}"): [BAD_MATCH, NO_ID],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/enable"): [BAD_MATCH, BAD_KEY],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/disable"): [BAD_MATCH, UNKNOWN_PARAMETER],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/pause"): [
            MISSPELT,
            BAD_MATCH,
            Bad(status=422, code="invalid", body={"resumeAt": "tomorrow"}),
            Bad(status=422, code="invalid", body={"resumeAt": "9999-12-31T23:59:59-14:00"}),
        ],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/resume"): [BAD_MATCH, BAD_KEY],
        ("POST", f"/api/v1/{name}/pause"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={}),
            Bad(status=422, code="invalid", body={"all": True, "text": "x"}),
            Bad(status=422, code="invalid", body={"all": True, "resumeAt": "tomorrow"}),
            Bad(status=422, code="invalid", body={"ids": ["x"]}),
        ],
        ("POST", f"/api/v1/{name}/resume"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={"all": False}),
            Bad(status=422, code="invalid", body={"ids": [NOBODY] * 5001}),
        ],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/backfill"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={"from": "2026-03-29T00:00:00Z"}),
            Bad(status=422, code="invalid", body={"from": "2026-03-29T00:00:00", "to": "2026-03-30T00:00:00Z"}),
            Bad(
                status=422,
                code="invalid",
                body={"from": "2026-03-29T00:00:00Z", "to": "2026-03-30T00:00:00Z", "limit": 201},
            ),
            Bad(
                status=422,
                code="invalid",
                body={"from": "0001-01-01T00:00:00+14:00", "to": "2026-03-30T00:00:00Z"},
            ),
        ],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/restore"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={"version": 0}),
            Bad(status=404, code="scheduled-job-not-found", body={"version": 1}),
        ],
        ("POST", f"/api/v1/{name}/{{schedule_id}}/trigger"): [BAD_MODE, MISSPELT],
        ("GET", f"/api/v1/{name}/{{schedule_id}}/runs"): [missing("scheduled-job"), NO_PAGE],
        ("POST", f"/api/v1/{name}/preview"): [
            MISSPELT,
            Bad(status=422, code="invalid", body={}),
            Bad(status=422, code="invalid", body={"cronExpression": "61 * * * *"}),
            Bad(status=422, code="invalid", body={"cronExpression": "* * * * *", "timeZone": "Mars/Olympus"}),
            Bad(status=422, code="invalid", body={"cronExpression": "* * * * *", "count": 101}),
            Bad(status=422, code="invalid", body={"cronExpression": "* * * * *", "from": "2026-03-29T00:00:00"}),
            Bad(status=404, code="scheduled-job-not-found", body={"scheduledJobId": NOBODY}),
        ],
        ("GET", f"/api/v1/{name}/{{schedule_id}}/ticks"): [
            missing("scheduled-job"),
            NO_ID,
            NO_PAGE,
            UNKNOWN_PARAMETER,
            bad_query("at=02:00"),
            bad_query("from=2026-03-01T12:00:00"),
            bad_query("to=yesterday"),
            bad_query("order=newest"),
            bad_query("verdict=lost"),
            bad_query("verdict=late,"),
            bad_query("reason=OVERLAP"),
        ],
        ("GET", f"/api/v1/{name}/{{schedule_id}}/versions"): [missing("scheduled-job"), NO_PAGE, UNKNOWN_PARAMETER],
        ("GET", f"/api/v1/{name}/{{schedule_id}}/versions/{{number}}/diff"): [
            missing("scheduled-job"),
            NO_ID,
            UNKNOWN_PARAMETER,
            bad_query("against=first"),
        ],
        ("GET", f"/api/v1/{name}/active"): [UNKNOWN_PARAMETER, NO_PAGE],
        ("GET", f"/api/v1/{name}/runs/recent"): [bad_query("limit=201"), NO_PAGE],
        ("GET", f"/api/v1/{name}/library/{{library_id}}"): [missing("scheduled-job"), NO_ID],
    }


def routes() -> set[tuple[str, str]]:
    app = http.make(cast(Context, None), host="127.0.0.1", callers=cast(Callers, None))
    return {
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/docs")
        for method in route.methods - {"OPTIONS"}
    }


def test_no_route_is_forgotten() -> None:
    assert set(BAD_INPUT) == routes()


def test_some_bad_input_of_each_route_is_refused_for_its_own_sake() -> None:
    assert all(cases for cases in BAD_INPUT.values())


async def test_bad_input_is_refused_and_reaches_nobody(
    api: httpx.AsyncClient, library_owner: Owner, scheduler_owner: Owner, scanner_owner: Owner
) -> None:
    for (method, path), cases in BAD_INPUT.items():
        for case in cases:
            url = path.replace("{number}", "1").replace("{", "").replace("}", "")
            ids = (
                "library_id",
                "collection_id",
                "scan_id",
                "schedule_id",
                "run_id",
                "job_id",
                "command_id",
                "event_id",
            )
            for parameter in ids:
                url = url.replace(parameter, case.ids)
            answer = await api.request(method, url + case.query, json=case.body, headers=case.headers)
            problem = answer.json()
            where = (method, path, case, problem)
            told = (answer.status_code, problem["status"], problem["code"])
            assert told == (case.status, case.status, case.code), where
            assert answer.headers["content-type"] == "application/problem+json", where
            assert set(problem) >= {"type", "title", "detail", "traceId"}, where
    assert library_owner.commands == scheduler_owner.commands == scanner_owner.commands == []


@pytest.mark.parametrize("path", ["/docs/nowhere", "/nowhere", "/api/v1", "/api/v2/libraries"])
async def test_no_route_at_all(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
