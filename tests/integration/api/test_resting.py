"""Why a run does not run: it is paused, or waits for something."""

from datetime import timedelta
from uuid import UUID

import httpx
import msgspec
from nats.aio.client import Client

from linstock import names
from linstock.messages.job import JobDeferred, JobPaused, JobResumed, JobStarted
from linstock.messages.progress import ScanProgress
from tests.integration.api.conftest import World
from tests.integration.api.test_runs import asked_for
from tests.support.recorded import NOON
from tests.support.sse import listening
from tests.support.story import Story

DISK = "nas/sda"


def begun(story: Story, run: int, attempt: int = 1, device: str = DISK) -> Story:
    job_id, deadline = story.run(run), NOON + timedelta(days=400)
    story.scheduler.says(
        job_id,
        JobStarted(
            job_id=job_id, attempt=attempt, worker="w", lease=UUID(int=9), at=NOON, deadline=deadline, device=device
        ),
    )
    return story


async def test_a_paused_scan_says_by_whom_and_why_until_it_is_resumed(
    api: httpx.AsyncClient, world: World, story: Story
) -> None:
    job_id = begun(asked_for(story.created(), 1), 1).run(1)
    paused = JobPaused(job_id=job_id, attempt=1, next_attempt=2, reason="Film night", at=NOON)
    story.scheduler.says(job_id, paused, actor="ann")
    fresh = await world.tell(story)
    told = {"by": "ann", "at": "2026-03-01T12:00:00Z", "reason": "Film night"}
    for path in ("runs", "scans"):
        shown = (await api.get(f"/api/v1/{path}/{job_id}", headers=fresh)).json()
        assert (shown["status"], shown["paused"], shown["waitingFor"]) == ("Paused", told, None)
    listed = (await api.get("/api/v1/runs?status=Paused", headers=fresh)).json()["data"]
    assert [run["id"] for run in listed] == [str(job_id)]
    story.scheduler.says(job_id, JobResumed(job_id=job_id, attempt=2, reason="", at=NOON))
    shown = (await api.get(f"/api/v1/runs/{job_id}", headers=await world.tell(story))).json()
    assert (shown["status"], shown["paused"], shown["waitingFor"]["reason"]) == ("Retrying", None, "worker")


async def test_a_run_is_followed_to_its_end(api: httpx.AsyncClient, world: World, story: Story, client: Client) -> None:
    story.created().requested(1).started(1)
    await api.get("/api/v1/runs", headers=await world.tell(story))
    async with listening(api, f"/api/v1/runs/{story.run(1)}/stream") as heard:
        assert (await heard.said()).json["status"] == "Running"
        said = ScanProgress(folders=4, files=30, collections=2, at=NOON, phase="walking")
        await client.publish(names.progress_subject("default", story.run(1)), msgspec.json.encode(said))
        assert (await heard.said()).json["progress"]["files"] == 30
        await world.tell(story.seen(1).succeeded(1))
        end = await heard.said()
        assert (end.event, end.json["status"]) == ("end", "Completed")


async def test_what_a_scan_waits_for(api: httpx.AsyncClient, world: World, story: Story) -> None:
    begun(asked_for(story.created(), 1), 1)
    asked_for(story, 2)
    other = asked_for(Story(beside=story).created(), 3)
    waits = JobDeferred(job_id=other.run(3), attempt=1, device=DISK, limit=1, at=NOON)
    other.scheduler.says(other.run(3), waits)
    fresh = await world.tell(story)

    async def why(run: UUID) -> dict[str, object] | None:
        found: dict[str, object] | None = (await api.get(f"/api/v1/runs/{run}", headers=fresh)).json()["waitingFor"]
        return found

    assert await why(story.run(1)) is None
    running = [str(story.run(1))]
    assert await why(story.run(2)) == {"reason": "run", "runIds": running, "until": None, "device": None}
    assert await why(other.run(3)) == {"reason": "device", "runIds": running, "until": None, "device": DISK}
