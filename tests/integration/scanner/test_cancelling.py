"""A cancellation takes effect within two seconds, wherever the scan is: it has its verdict, and its walk has ended."""

import asyncio
import os
import shutil
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from linstock.messages.scan import ScanCancelled
from services.scanner import listing
from tests.integration.scanner.conftest import Scanner, lease, order_for
from tests.integration.scanner.test_attempts import SCAN, cancelled, closings
from tests.support.trees import put, put_many
from tests.support.waiting import becomes

WITHIN_S = 2.0


async def cancels_in_time(scanner: Scanner, running: asyncio.Task[Any]) -> None:
    began = time.monotonic()
    await closings(scanner).react(cancelled())
    verdict_s = time.monotonic() - began
    await running
    assert (verdict_s < WITHIN_S, time.monotonic() - began < WITHIN_S) == (True, True)
    (verdict,) = await scanner.verdicts(SCAN)
    assert isinstance(verdict, ScanCancelled)
    assert (await scanner.kinds())[-1] == "CatalogueReleased"


async def test_within_one_giant_folder_on_a_slow_disk(
    scanner: Scanner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(photos, folders=1, images=20_000)
    looked = 0
    real, never = os.stat, threading.Event()

    def slow(*given: Any, **more: Any) -> os.stat_result:
        nonlocal looked
        looked += 1
        never.wait(0.005)
        return real(*given, **more)

    class Slow:
        stat = staticmethod(slow)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    monkeypatch.setattr(listing, "os", Slow())
    running = asyncio.create_task(scanner.runner.run(order_for(photos, scan_id=SCAN), lease()))
    await becomes(lambda: looked > 0, expected=True)
    await cancels_in_time(scanner, running)
    assert looked < 2_000


async def test_while_archives_with_very_many_images_are_opened(scanner: Scanner, photos: Path) -> None:
    with zipfile.ZipFile(photos / "0.zip", "w") as archive:
        for number in range(50_000):
            archive.writestr(f"{number:05}.jpg", b"")
    for number in range(1, 40):
        shutil.copy(photos / "0.zip", photos / f"{number}.zip")
    running = asyncio.create_task(scanner.runner.run(order_for(photos, scan_id=SCAN), lease()))
    await becomes(lambda: len(scanner.told.messages) > 0, expected=True)
    await cancels_in_time(scanner, running)


async def test_while_a_page_waits_for_a_slow_database(scanner: Scanner, photos: Path, database_url: str) -> None:
    put(photos, "a/1.jpg", "b/1.jpg")
    slow = await asyncpg.connect(database_url)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("LOCK TABLE scanner.index_images IN ACCESS EXCLUSIVE MODE")
        running = asyncio.create_task(scanner.runner.run(order_for(photos, scan_id=SCAN), lease()))
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"

        async def waiting() -> bool:
            return bool(await scanner.pool.fetchval(waits))

        await becomes(waiting, expected=True)
        await cancels_in_time(scanner, running)
        await transaction.rollback()
    finally:
        await slow.close()
