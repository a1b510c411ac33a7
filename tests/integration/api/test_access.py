"""Who is let in, and as whom: on the real HTTP application."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from linstock.access.roles import ROLES, Role, covers
from linstock.messages.answer import Answer
from linstock.settings import Settings
from services.api.policy import PUBLIC
from services.projection.follower import Follower
from tests.integration.api.access import Desk, Route, opened, routes, serving
from tests.integration.api.conftest import Owner
from tests.support.waiting import becomes

LIBRARIES = "/api/v1/libraries"
WHOAMI = "/api/v1/whoami"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with opened(database_url) as desk:
        yield desk


@pytest.fixture
async def guarded(database_url: str, nats_url: str, follower: Follower) -> AsyncIterator[httpx.AsyncClient]:
    """An API on loopback that wants a token of everybody."""
    settings = Settings(service="api", database_url=database_url, nats_url=nats_url, port=0, require_token=True)
    async with serving(settings) as client:
        yield client


async def test_every_route_lets_in_whom_the_policy_lets_in_and_nobody_else(
    guarded: httpx.AsyncClient, desk: Desk, library_owner: Owner, scheduler_owner: Owner
) -> None:
    for owner in (library_owner, scheduler_owner):
        owner.reply = lambda command, body: Answer(status=404, code="test-not-found", detail="Asked.")
    callers: dict[Role | None, dict[str, str]] = {None: {}}
    callers.update({role: await desk.header(role) for role in ROLES})
    limit = asyncio.Semaphore(16)

    async def outcome(route: Route, header: dict[str, str]) -> str:
        body: dict[str, str] | None = None if route.method in ("GET", "OPTIONS", "HEAD") else {}
        async with limit, guarded.stream(route.method, route.at(), headers=header, json=body) as answer:
            if answer.status_code not in (401, 403):
                return "allowed"
            await answer.aread()
            problem = answer.json()
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")
            else:
                assert f"the role {route.needed}" in problem["detail"]
            assert answer.headers["content-type"] == "application/problem+json"
            return f"{answer.status_code} {problem['code']}"

    asked = [(route, role) for route in routes() for role in callers]
    found = await asyncio.gather(*(outcome(route, callers[role]) for route, role in asked))
    for (route, role), answer in zip(asked, found, strict=True):
        if route.needed == PUBLIC or (role is not None and covers(role, route.needed)):
            expected = "allowed"
        else:
            expected = "401 unauthorized" if role is None else "403 forbidden"
        assert answer == expected, (route, role)
    assert len(asked) >= 4 * 30
    assert {command for command, _ in library_owner.commands} >= {"DeleteLibrary"}  # an admin's do reach their owner


async def test_on_loopback_a_caller_without_a_token_is_an_anonymous_admin(api: httpx.AsyncClient) -> None:
    answer = await api.get(WHOAMI)
    assert answer.json() == {"actor": "anonymous@loopback", "role": "admin", "workspace": "default"}


async def test_a_token_is_honoured_on_loopback_too(api: httpx.AsyncClient, desk: Desk) -> None:
    token, header = await desk.make("viewer", workspace="team-a", name="grafana")
    answer = await api.get(WHOAMI, headers=header)
    assert answer.json() == {"actor": token.actor, "role": "viewer", "workspace": "team-a"}
    assert (await api.post(LIBRARIES, json={}, headers=header)).status_code == 403


BAD = [
    "",
    "Bearer",
    "Bearer x",
    "Bearer linstock_",
    f"Bearer linstock_{'a' * 43}",
    f"Bearer linstock_{'a' * 44}",
    f"bearer  linstock_{'a' * 43}",
    f"linstock_{'a' * 43}",
    "Basic bGluc3RvY2s6bGluc3RvY2s=",
    f"Bearer linstock_{'a' * 10_000}",
    "Bearer linstock_" + "é" * 43,
]


@pytest.mark.parametrize("header", BAD)
async def test_a_bad_token_is_refused_everywhere_also_where_none_is_needed(
    api: httpx.AsyncClient, guarded: httpx.AsyncClient, header: str
) -> None:
    for client in (api, guarded):
        for path in (WHOAMI, LIBRARIES, "/", "/openapi.json"):
            answer = await client.get(path, headers={b"Authorization": header.encode("latin-1")})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_two_tokens_at_once_are_none(guarded: httpx.AsyncClient, desk: Desk) -> None:
    one, other = (await desk.header())["Authorization"], (await desk.header())["Authorization"]
    answer = await guarded.get(WHOAMI, headers=[("Authorization", one), ("Authorization", other)])
    assert answer.status_code == 401


async def test_a_token_elsewhere_than_in_its_header_is_none(guarded: httpx.AsyncClient, desk: Desk) -> None:
    secret = (await desk.header())["Authorization"].removeprefix("Bearer ")
    for query in (f"access_token={secret}", f"token={secret}"):
        assert (await guarded.get(f"{WHOAMI}?{query}")).status_code == 401
    assert (await guarded.get(WHOAMI, headers={"Cookie": f"token={secret}"})).status_code == 401
    assert (await guarded.get(WHOAMI, headers={"X-Token": secret})).status_code == 401


async def test_the_scheme_is_written_as_one_likes(guarded: httpx.AsyncClient, desk: Desk) -> None:
    header = (await desk.header())["Authorization"]
    assert (await guarded.get(WHOAMI, headers={"Authorization": header.replace("Bearer", "BEARER")})).is_success


async def test_who_listens_with_a_token_that_is_revoked_hears_the_end_within_5_seconds(
    guarded: httpx.AsyncClient, desk: Desk
) -> None:
    (token, header), kept = await desk.make("viewer"), await desk.header("viewer")
    async with (
        guarded.stream("GET", "/api/v1/events/stream", headers=kept) as other,
        guarded.stream("GET", "/api/v1/events/stream", headers=header) as answer,
    ):
        lines, others = answer.aiter_lines(), other.aiter_lines()
        assert (await anext(lines), await anext(others)) == (": linstock", ": linstock")
        await desk.kept.revoke(token.short_id, by="test")
        async with asyncio.timeout(5.5):
            assert [line async for line in lines][-1] == ""
        assert await anext(others) == "retry: 2000"
    assert (await guarded.get("/api/v1/events/stream", headers=header)).status_code == 401


async def test_a_revoked_token_is_out_within_5_seconds(guarded: httpx.AsyncClient, desk: Desk) -> None:
    token, header = await desk.make()
    assert (await guarded.get(WHOAMI, headers=header)).is_success
    await desk.kept.revoke(token.short_id, by="test")

    async def status() -> int:
        return (await guarded.get(WHOAMI, headers=header)).status_code

    await becomes(status, 401, timeout_s=5)


async def test_an_expired_token_is_out(guarded: httpx.AsyncClient, desk: Desk) -> None:
    _, header = await desk.make(lives=timedelta(microseconds=-1))
    assert (await guarded.get(WHOAMI, headers=header)).status_code == 401


async def test_its_last_use_is_noted_after_the_answer(guarded: httpx.AsyncClient, desk: Desk) -> None:
    token, header = await desk.make()
    assert await desk.last_used(token.token_id) is None
    assert (await guarded.get(WHOAMI, headers=header)).is_success

    async def noted() -> bool:
        return await desk.last_used(token.token_id) is not None

    await becomes(noted, True)


async def test_a_command_is_sent_as_the_tokens_actor_into_its_workspace(
    guarded: httpx.AsyncClient, desk: Desk, library_owner: Owner
) -> None:
    token, header = await desk.make(workspace="team-a", name="ci")
    library_owner.reply = lambda command, body: Answer(status=409, code="path-taken", detail="Asked.")
    answer = await guarded.post(LIBRARIES, json={"name": "x", "path": "/x"}, headers=header)
    assert answer.status_code == 409
    assert library_owner.actors == [(token.actor, "team-a")]
    assert token.actor == f"token:ci/{str(token.token_id)[:8]}"


async def test_without_its_database_a_token_is_neither_good_nor_bad(guarded: httpx.AsyncClient, desk: Desk) -> None:
    header = await desk.header()
    await desk.connection.execute("ALTER TABLE access.tokens RENAME TO away")
    answer = await guarded.get(WHOAMI, headers=header)
    assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
    malformed = await guarded.get(WHOAMI, headers={"Authorization": "Bearer x"})
    assert malformed.status_code == 401
    await desk.connection.execute("ALTER TABLE access.away RENAME TO tokens")
    assert (await guarded.get(WHOAMI, headers=header)).is_success


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
async def test_on_any_loopback_address_other_names_are_not_served(
    database_url: str, nats_url: str, follower: Follower, host: str
) -> None:
    settings = Settings(service="api", database_url=database_url, nats_url=nats_url, port=0, host=host)
    async with serving(settings) as client:
        client.base_url = httpx.URL(str(client.base_url).replace("127.0.0.1", host))
        assert (await client.get(WHOAMI)).is_success
        rebound = await client.get(WHOAMI, headers={"host": "evil.example"})
        assert (rebound.status_code, rebound.json()["code"]) == (403, "host-not-allowed")


async def test_elsewhere_any_name_is_served_to_who_has_a_token_and_no_other_site_may_write(
    database_url: str, nats_url: str, follower: Follower, desk: Desk
) -> None:
    settings = Settings(service="api", database_url=database_url, nats_url=nats_url, port=0, host="0.0.0.0")
    header = await desk.header()
    async with serving(settings) as client:
        assert (await client.get(WHOAMI)).status_code == 401
        assert (await client.get(WHOAMI, headers={**header, "host": "nas.example:8321"})).is_success
        for other in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            refused = await client.post(LIBRARIES, json={}, headers={**header, **other})
            assert (refused.status_code, refused.json()["code"]) == (403, "cross-origin")


async def test_a_path_that_is_not_there_says_so_to_anybody(guarded: httpx.AsyncClient) -> None:
    assert (await guarded.get("/api/v1/nowhere")).status_code == 404


async def test_the_document_says_what_each_operation_needs(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for route in routes():
        operation = document["paths"].get(route.path, {}).get(route.method.lower())
        if operation is None:
            continue
        assert operation["x-linstock-role"] == route.needed
        assert operation["tags"] == [route.path.removeprefix("/api/v1").strip("/").partition("/")[0] or "about"]
        assert operation["description"].startswith(operation["summary"])
        if route.needed == PUBLIC:
            assert operation["security"] == []
        else:
            assert f"Needs the role {route.needed}." in operation["description"]
            assert {"401", "403"} <= set(operation["responses"])
            assert operation["security"] == [{"token": []}, {}]
