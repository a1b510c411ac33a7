"""Commands while the disk of the data directory is full: refused at once, with a sentence; reads go on."""

from pathlib import Path

import httpx
import pytest

from linstock import disk
from linstock.disk import GIB, MIB, Space
from linstock.settings import Settings
from services.api.app import ApiService
from services.projection.follower import Follower
from tests.integration.api.conftest import Owner


async def test_a_command_is_refused_before_it_is_stored_and_reads_go_on(
    database_url: str,
    nats_url: str,
    follower: Follower,
    library_owner: Owner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disk.Disk.__init__, "__defaults__", (lambda _: Space(12 * MIB, 20 * GIB),))
    service = ApiService(Settings(service="api", database_url=database_url, nats_url=nats_url, port=0, disk=tmp_path))
    try:
        await service.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}/api/v1") as http:
            refused = await http.post("/libraries", json={"name": "Photos", "path": "/photos"})
            shown = await http.get("/libraries")
    finally:
        await service.stop()
    assert (refused.status_code, refused.json()["code"]) == (503, "disk-full")
    assert refused.json()["detail"] == (
        "Nothing was changed: the disk of the data directory is full (12 MB free of 20 GB): free some space."
    )
    assert int(refused.headers["retry-after"]) == 30
    assert library_owner.commands == []
    assert shown.status_code == 200
