"""The data directory on a disk of its own that fills up: first below the reserve, then to the last byte."""

import asyncio
import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import nats.errors
import psycopg

from linstock import names
from linstock.bus.connection import close, connect_once
from tests.support.instance import Instance, linstock, started
from tests.support.processes import on_small_disk
from tests.support.trees import put
from tests.support.waiting import until
from tests.system.test_whole import EVERY_SECOND

SIZE_MIB = 320  # full below 20 MiB
LEAVE_BYTES = 8 * 1024 * 1024
READY_WITHIN_S = 15.0
MOST_LOG_LINES = 400


def test_a_full_disk_refuses_new_work_keeps_reads_and_recovers_by_itself(tmp_path: Path) -> None:
    disk, photos = tmp_path / "disk", tmp_path / "photos"
    disk.mkdir()
    put(photos, "a/1.jpg", "b/2.jpg")
    tmp_path.chmod(0o755)
    on_small_disk(partial(Trial.run, disk, photos), disk=disk, size_mib=SIZE_MIB)


class Trial:
    """One instance on the small disk; runs in a process that sees that disk."""

    def __init__(self, disk: Path, instance: Instance) -> None:
        self.disk = disk
        self.instance = instance
        self.acknowledged: set[str] = set()

    @classmethod
    def run(cls, disk: Path, photos: Path) -> None:
        data_dir = disk / "data"
        with started(data_dir) as instance:
            cls(disk, instance)._run(photos)

    def _run(self, photos: Path) -> None:
        library = self.instance.create("Ticking", photos, autoScan=True, cronExpression=EVERY_SECOND)
        self.acknowledged.add(library)
        until(self._create, "a library without a schedule")
        schedule = self.instance.schedule(library)["id"]
        until(lambda: self._completed(schedule), "a tick's scan is completed", 20)
        self._below_the_reserve(schedule)
        self._to_the_last_byte()
        self._recovered(schedule)

    def _below_the_reserve(self, schedule: str) -> None:
        self._fill(leave_bytes=LEAVE_BYTES)
        refused = self._refused()
        assert refused.json()["code"] == "disk-full"
        assert "the disk of the data directory is full (" in refused.json()["detail"]
        assert refused.headers["retry-after"]
        status = linstock(self.instance.data_dir, "status")
        assert status.returncode == 1
        assert status.stdout.count("free of 320 MB): free some space") == 5
        self._rests(schedule)

    def _to_the_last_byte(self) -> None:
        """Faster than anybody looks, so NATS freezes a stream; and PostgreSQL has to recover there."""
        os.kill(self._state()["pid"], signal.SIGSTOP)
        self._fill(leave_bytes=0)
        asyncio.run(self._freeze())
        os.kill(self._state()["pid"], signal.SIGCONT)
        os.kill(self._state()["postgres"]["pid"], signal.SIGKILL)
        until(lambda: not (self.instance.data_dir / "ballast").exists(), "the last reserve is given back")
        until(self._shown, "reads go on, with what was given back", 20)
        assert self._refused().json()["code"] == "disk-full"

    def _recovered(self, schedule: str) -> None:
        before = self._completed(schedule)
        for filler in self.disk.glob("filler*"):
            filler.unlink()
        until(lambda: linstock(self.instance.data_dir, "status").returncode == 0, "all is ready", READY_WITHIN_S)
        until(self._create, "commands are taken again", READY_WITHIN_S)
        until(lambda: self._completed(schedule) > before, "ticks fire and scans complete again", READY_WITHIN_S)
        for words in (("events", "verify"), ("projection", "verify")):
            until(lambda words=words: self.instance.command(*words).returncode == 0, " ".join(words), 30)  # type: ignore[misc]
        shown = {each["id"] for each in self.instance.get("/libraries?pageSize=200")["data"]}
        assert shown == self.acknowledged, "what was acknowledged, and nothing else"
        lines = len((self.instance.data_dir / "logs" / "linstock.log").read_text().splitlines())
        assert lines < MOST_LOG_LINES

    async def _freeze(self) -> None:
        """A message that nobody can read, until JetStream has no room for one more."""
        client = await connect_once(self._state()["nats"]["url"], "filler")
        try:
            for _ in range(1000):
                await client.jetstream().publish(
                    names.command_subject(names.LIBRARY, "default", "Nothing", "not-an-id"),  # type: ignore[arg-type]
                    b"x" * 4000,
                    timeout=0.5,
                )
        except (nats.errors.Error, TimeoutError):
            return  # frozen: it is never answered
        finally:
            await close(client)
        raise AssertionError("there was room for 4 MB")

    def _fill(self, *, leave_bytes: int) -> None:
        found = os.statvfs(self.disk)
        filler = self.disk / f"filler-{leave_bytes}"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - leave_bytes)

    def _create(self) -> bool:
        """Whether it is done. If it is only stored, asking again under the same key must lead to the same library."""
        key = f"quiet-{len(self.acknowledged)}"
        body = {"name": "Quiet", "path": f"/nowhere/{key}"}
        answer = self.instance.http.post("/libraries", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (201, 202, 503), answer.text
        if answer.status_code == 201:
            self.acknowledged.add(answer.json()["id"])
        return answer.status_code == 201

    def _refused(self) -> httpx.Response:
        answer = self.instance.http.post("/libraries", json={"name": "Refused", "path": "/refused"})
        assert answer.status_code == 503, answer.text
        return answer

    def _shown(self) -> bool:
        return self.instance.http.get("/libraries").status_code == 200

    def _completed(self, schedule: str) -> int:
        return sum(run["status"] == "Completed" for run in self.instance.runs(schedule))

    def _rests(self, schedule: str) -> None:
        """No tick fires any more: the count stands while Postgres's clock passes three instants."""
        seen: list[tuple[int, int]] = []

        def stands() -> bool:
            with psycopg.connect(self._state()["postgres"]["url"]) as connection:
                row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
            assert row
            found = self.instance.get(f"/scheduledjobs/{schedule}/runs?pageSize=1")["totalCount"]
            if not seen or seen[0][0] != found:
                seen[:] = [(found, int(row[0]))]
            return int(row[0]) - seen[0][1] >= 3

        until(stands, "no tick fires", 15)

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.instance.data_dir / "state.json").read_text())
        return found
