"""One table says what every route needs; what it forgets or invents keeps the API from starting."""

from typing import Any, cast

import pytest
from litestar import Litestar, Router, get, post

from linstock.access.roles import ROLES
from services.api import http, policy
from services.api.callers import Callers
from services.api.context import Context
from services.api.policy import POLICY, PUBLIC, BadPolicy


@get("/look")
async def look() -> None: ...


@post("/change")
async def change() -> None: ...


def app(*handlers: Any) -> Litestar:
    return Litestar([Router("/v1", route_handlers=handlers)], openapi_config=None)


def faults(wanted: dict[str, policy.Needed], *handlers: Any) -> list[str]:
    with pytest.raises(BadPolicy) as bad:
        policy.of(app(*handlers), wanted)
    return bad.value.faults


def test_a_route_without_a_role_is_named_with_what_to_do() -> None:
    assert faults({"look": "viewer"}, look, change) == [
        "change has no role: add it to POLICY as PUBLIC, VIEWER, OPERATOR or ADMIN."
    ]


def test_a_role_without_a_route_is_named() -> None:
    assert faults({"look": "viewer", "gone": "admin"}, look) == ["gone is no route: take it out of POLICY."]


def test_one_name_can_not_mean_two_handlers() -> None:
    @get("/other")
    async def other() -> None: ...

    other.fn.__name__ = "look"
    assert faults({"look": "viewer"}, look, other) == ["Two handlers are called look: rename one."]


def test_one_handler_may_have_two_paths() -> None:
    @get(["/a", "/b"])
    async def both() -> None: ...

    needed = policy.of(app(both), {"both": "operator"})
    assert {role for handler, role in needed.items() if handler.handler_name == "both"} == {"operator"}


def test_litestars_own_handlers_of_options_are_public() -> None:
    needed = policy.of(app(look), {"look": "admin"})
    assert sorted((handler.handler_name, role) for handler, role in needed.items()) == [
        ("look", "admin"),
        ("options_handler", PUBLIC),
    ]


def test_the_real_routes_and_the_real_table_fit() -> None:
    made = http.make(cast(Context, None), host="127.0.0.1", callers=cast(Callers, None))
    assert set(policy.of(made).values()) == {PUBLIC, *ROLES}


CHANGES_NOTHING = {"preview_exclusions", "preview_scheduled_job"}  # a POST only because it has so much to say


def test_what_changes_something_needs_more_than_looking() -> None:
    made = http.make(cast(Context, None), host="127.0.0.1", callers=cast(Callers, None))
    for path, handler in policy.handlers(made):
        if handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"}:
            wanted = ("viewer",) if handler.handler_name in CHANGES_NOTHING else ("operator", "admin")
            assert POLICY[handler.handler_name] in wanted, path
