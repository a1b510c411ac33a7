"""A page of a list over HTTP, as far as a test cares."""

from typing import Any

import httpx


async def listed(api: httpx.AsyncClient, path: str, field: str, **params: str | int | bool) -> tuple[list[Any], int]:
    """The `field` of each item of the page, and how many the whole list has."""
    answer = await api.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    size = page["pageSize"]
    assert page["totalPages"] == -(-page["totalCount"] // size)
    return [item[field] for item in page["data"]], page["totalCount"]
