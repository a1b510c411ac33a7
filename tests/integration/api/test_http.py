"""HTTP as its RFCs have it: traces, HEAD, OPTIONS, conditions, and URLs that nobody can mean."""

import json
import re
from uuid import uuid4

import httpx
import pytest

from linstock.messages.answer import Answer
from services.api import problems
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
LIBRARIES = "/api/v1/libraries"


async def test_a_request_is_part_of_its_callers_trace(api: httpx.AsyncClient, client: object) -> None:
    for path in ("/", LIBRARIES, "/nowhere", f"{LIBRARIES}?nonsense=1", "/%zz"):
        answer = await api.get(path, headers={"traceparent": TRACEPARENT})
        version, trace, span, _ = answer.headers["traceparent"].split("-")
        assert (version, trace) == ("00", TRACE), path
        assert span != "00f067aa0ba902b7"
        if answer.status_code >= 400:
            assert answer.json()["traceId"] == TRACE


@pytest.mark.parametrize("given", [None, "nonsense", "00-" + "0" * 32 + "-00f067aa0ba902b7-01"])
async def test_without_a_trace_one_is_begun(api: httpx.AsyncClient, given: str | None) -> None:
    answers = [await api.get("/nowhere", headers={"traceparent": given} if given else {}) for _ in range(2)]
    traces = {answer.json()["traceId"] for answer in answers}
    assert len(traces) == 2
    assert all(re.fullmatch("(?!0{32})[0-9a-f]{32}", trace) for trace in traces)


async def test_our_own_mistake_is_told_with_nothing_but_its_trace(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.queries.libraries.page", None)
    answer = await api.get(LIBRARIES, headers={"traceparent": TRACEPARENT})
    assert (answer.status_code, answer.headers["content-type"]) == (500, problems.CONTENT_TYPE)
    assert answer.json() == {
        "type": "urn:linstock:problem:internal",
        "title": "Internal",
        "status": 500,
        "code": "internal",
        "detail": "Something went wrong here; it is in the log.",
        "traceId": TRACE,
    }


async def test_head_is_get_without_a_body(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created())
    for path in ("/", LIBRARIES, f"{LIBRARIES}/{story.library_id}", f"/api/v1/scheduledjobs/{story.schedule_id}/runs"):
        got, head = await api.get(path, headers=fresh), await api.head(path, headers=fresh)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "etag"):
            assert head.headers[name] == got.headers[name], (path, name)
    missing = await api.head(f"{LIBRARIES}/{uuid4()}")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_what_a_path_takes(api: httpx.AsyncClient) -> None:
    one = f"/api/v1/scheduledjobs/{uuid4()}"
    for path, methods in (
        (LIBRARIES, "GET, HEAD, OPTIONS, POST"),
        (one, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (f"{one}/enable", "OPTIONS, POST"),
    ):
        options = await api.options(path)
        assert (options.status_code, options.headers["allow"]) == (204, methods)
        for method in ({"POST", "PUT", "DELETE", "GET", "HEAD"} - set(methods.split(", "))) | {"TRACE", "BREW"}:
            refused = await api.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, methods), (method, path)
            assert method == "HEAD" or refused.json()["code"] == "method-not-allowed"


async def test_who_has_it_already_is_not_sent_it_again(api: httpx.AsyncClient, world: World, story: Story) -> None:
    fresh = await world.tell(story.created())
    for path in (f"{LIBRARIES}/{story.library_id}", LIBRARIES, f"/api/v1/schedules/library/{story.library_id}"):
        tag = (await api.get(path, headers=fresh)).headers["etag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            for method in ("GET", "HEAD"):
                answer = await api.request(method, path, headers={"If-None-Match": given})
                assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), given
                assert "content-type" not in answer.headers
        for given in ('"other"', tag.strip('"'), ""):
            assert (await api.get(path, headers={"If-None-Match": given})).status_code == 200
    assert (await api.get(f"{LIBRARIES}/{uuid4()}", headers={"If-None-Match": "*"})).status_code == 404


async def test_what_is_shown_beside_also_changes_a_tag_but_not_its_version(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    path = f"/api/v1/scheduledjobs/library/{story.library_id}"
    fresh = await world.tell(story.created())
    before = await api.get(path, headers=fresh)
    fresh = await world.tell(story.scanned(1, "a"))
    after = await api.get(path, headers={**fresh, "If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.json()["runCount"]) == (200, 1)
    assert after.json()["version"] == before.json()["version"]
    assert after.headers["etag"].partition("-")[0] == before.headers["etag"].partition("-")[0]


async def test_only_the_versions_of_a_condition_reach_the_owner(api: httpx.AsyncClient, library_owner: Owner) -> None:
    library_owner.reply = lambda command, body: Answer(status=412, code="precondition-failed", detail="Another.")
    for given, versions in (
        ("*", []),
        ('"7"', [7]),
        ('"7-0a1b2c3d4e5f6071"', [7]),
        ('"7-aa", "9" , "x"', [7, 9]),
        ('W/"7"', [0]),
        ('W/"7-aa", "8"', [8]),
        ('"other"', [0]),
        ('"' + "9" * 30 + '"', [0]),
    ):
        answer = await api.delete(f"{LIBRARIES}/{uuid4()}", headers={"If-Match": given})
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition-failed")
        assert library_owner.commands[-1][1]["ifVersions"] == versions, given


@pytest.mark.parametrize("given", ["", "7", '"7', '"7" "8"', "*, *", '"a"b"', ",".join(['"1"'] * 65)])
async def test_conditions_that_are_none(api: httpx.AsyncClient, library_owner: Owner, given: str) -> None:
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await api.request(method, f"{LIBRARIES}/{uuid4()}", json=body, headers={"If-Match": given})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-if-match")
    assert library_owner.commands == []


@pytest.mark.usefixtures("owners")
async def test_nobody_overwrites_what_he_has_not_seen(api: httpx.AsyncClient) -> None:
    made = await api.post(LIBRARIES, json={"name": "Pictures", "path": "/data/pictures"})
    library, first = made.headers["location"], made.headers["etag"]
    changed = await api.patch(library, json={"name": "Photos"}, headers={"If-Match": first})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert changed.headers["etag"] == (await api.get(library)).headers["etag"] != first
    for method, body in (("PATCH", {"name": "Lost"}), ("DELETE", None)):
        refused = await api.request(method, library, json=body, headers={"If-Match": first})
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
    assert (await api.get(library)).json()["name"] == "Photos"
    assert (await api.delete(library, headers={"If-Match": changed.headers["etag"]})).status_code == 204

    made = await api.post(LIBRARIES, json={"name": "Pictures", "path": "/data/pictures"})
    own = await api.post("/api/v1/schedules", json={"libraryId": made.json()["id"]})
    schedule, first = own.headers["location"], own.headers["etag"]
    assert (await api.post(f"{schedule}/disable", headers={"If-Match": first})).status_code == 200
    for method, path, body in (
        ("PATCH", schedule, {"name": "Lost"}),
        ("PUT", schedule, {"name": "Lost"}),
        ("POST", f"{schedule}/enable", None),
        ("DELETE", schedule, None),
    ):
        refused = await api.request(method, path, json=body, headers={"If-Match": first})
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed"), path
    seen = await api.get(schedule)
    assert seen.json()["isEnabled"] is False
    assert (await api.delete(schedule, headers={"If-Match": seen.headers["etag"]})).status_code == 204


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("pagesize=5", "pagesize"),
        ("page=1&page=2", "page"),
        ("x", "x"),
        ("page=1&&sort_=a", "sort_"),
        ("=1", ""),
        ("sort=null", "sort"),
    ],
)
async def test_parameters_that_nobody_can_mean(api: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await api.get(f"{LIBRARIES}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


async def test_a_route_that_takes_no_parameters_says_so(api: httpx.AsyncClient) -> None:
    answer = await api.post(f"{LIBRARIES}?dryRun=true", json={"name": "x", "path": "/x"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "dryRun")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/libraries/%zz", 400, "malformed-url"),
        ("/api/v1/libraries/%ff", 400, "malformed-url"),
        ("/api/v1/libraries/%00", 400, "malformed-url"),
        ("/api/v1/libraries?page=%", 400, "malformed-url"),
        ("/api/v1/libraries?page=%ff", 400, "malformed-url"),
        ("/api/v1/libraries?page=%001", 400, "malformed-url"),
        ("/" + "x" * 9000, 414, "url-too-long"),
        ("/api/v1/libraries?page=" + "1" * 9000, 414, "url-too-long"),
    ],
)
async def test_urls_that_are_none(api: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    url = httpx.URL(api.base_url, raw_path=path.encode())
    answer = await api.get(url)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == problems.CONTENT_TYPE


async def test_headers_that_are_too_many_or_said_twice(api: httpx.AsyncClient) -> None:
    many = await api.get("/", headers={f"x-{number}": "1" for number in range(101)})
    assert (many.status_code, many.json()["code"]) == (431, "headers-too-large")
    twice = await api.get("/", headers=[("Linstock-Position", "library:1"), ("linstock-position", "library:2")])
    assert (twice.status_code, twice.json()["code"]) == (400, "repeated-header")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"name":"\\ud800","path":"/x"}', 400),
        (b'{"name":"' + b"\xed\xa0\x80" + b'","path":"/x"}', 400),
        (b'{"excludePatterns":' + b"[" * 100_000, 422),
        (b'{"unknown":' + b"[" * 100_000, 422),
        (b'{"autoScan":' + b"9" * 5000 + b"}", 422),
        (b'{"name":"x","path":"/x","autoScan":1e999}', 422),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"name":NaN}', 400),
    ],
)
async def test_json_that_is_hostile(api: httpx.AsyncClient, content: bytes, status: int) -> None:
    for path, method in ((LIBRARIES, "POST"), (f"{LIBRARIES}/{uuid4()}", "PATCH")):
        answer = await api.request(method, path, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status, answer.text
        assert json.loads(answer.content)["status"] == status
