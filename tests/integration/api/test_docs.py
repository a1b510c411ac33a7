"""The page that shows the API: served from here alone."""

import re

import httpx
import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ADDRESS = re.compile(r"""(?:src|href)=["']([^"']+)""")
ELSEWHERE = re.compile(r"https?://|['\"(]//")
ASSET = "/docs/assets/swagger-ui-bundle.js"


async def test_the_page_and_all_that_it_loads_come_from_here(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = [address for address in ADDRESS.findall(page.text) if address != "/openapi.json"]
    assert len(loaded) == 4
    for address in loaded:
        assert address.startswith("/docs/assets/")
        answer = await api.get(address)
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["cache-control"]
    assert not ELSEWHERE.search(page.text)
    assert not ELSEWHERE.search((await api.get("/docs/assets/docs.js")).text)
    styles = (await api.get("/docs/assets/swagger-ui.css")).text
    assert "@import" not in styles
    assert set(re.findall(r"url\([\"']?([a-z]+:|[^)]{0,8})", styles)) == {"data:"}


async def test_the_page_allows_no_other_origin_and_no_code_inside_it(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not {"script-src", "connect-src"} & policy.keys()
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)


async def test_assets_are_kept_by_who_has_them(api: httpx.AsyncClient) -> None:
    first = await api.get(ASSET)
    again = await api.get(ASSET, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["nowhere.js", "LICENSE", "..%2fdocs.html", "swagger-ui.css.map"])
async def test_nothing_else_is_served(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.get(f"/docs/assets/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_browser_is_led_to_it_and_a_program_is_not(api: httpx.AsyncClient) -> None:
    led = await api.get("/", headers=BROWSER)
    assert (led.status_code, led.headers["location"], led.headers["vary"]) == (303, "/docs", "Accept")
    for accept in ("*/*", "application/json"):
        told = await api.get("/", headers={"Accept": accept})
        assert (told.status_code, told.json()["docs"]) == (200, "/docs")
