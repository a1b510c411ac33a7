"""Jobs of applications as people and integrators see them."""

import asyncio

import httpx

from linstock import Client, JobContext, job
from tests.integration.jobs import app
from tests.integration.jobs.conftest import StartWorker
from tests.support.waiting import becomes


async def test_a_job_is_asked_for_and_looked_at(http: httpx.AsyncClient, start_worker: StartWorker) -> None:
    body = {"jobType": app.add.job_type, "parameters": {"a": 2, "b": 3}, "priority": 9, "uniqueKey": "once"}
    asked = await http.post("/jobs", json=body)
    assert asked.status_code == 202
    where = asked.headers["location"].removeprefix("/api/v1")
    position = {"Linstock-Position": asked.headers["linstock-position"]}
    shown = (await http.get(where, headers=position)).json()
    assert (shown["status"], shown["parameters"], shown["priority"]) == ("Pending", {"a": 2, "b": 3}, 9)
    assert shown["waitingFor"] == {"reason": "nobody", "jobIds": [], "workers": 0, "until": None}
    assert (await http.post("/jobs", json=body)).json() == {"id": shown["id"], "duplicate": True}
    await start_worker(app.add)
    await becomes(lambda: _status(http, where), "Completed")
    ended = (await http.get(where)).json()
    assert (ended["result"], ended["waitingFor"], ended["attempt"], ended["uniqueKey"]) == (5, None, 1, "once")


async def test_a_failed_job_is_done_again(http: httpx.AsyncClient, client: Client, start_worker: StartWorker) -> None:
    await start_worker(app.flaky)
    failed = await client.enqueue(app.flaky.using(retries=0, exhausted="dead"), "over http", 1)
    await failed.wait(10)
    shown = (await http.get(f"/jobs/{failed.id}")).json()
    assert (shown["status"], shown["errorCode"], shown["filed"]) == ("Failed", "ConnectionResetError", "dead")
    again = (await http.post(f"/jobs/{failed.id}/retry")).json()["id"]
    assert (await http.post(f"/jobs/{failed.id}/retry")).json()["id"] == again
    await becomes(lambda: _status(http, f"/jobs/{again}"), "Completed")
    assert (await http.get(f"/jobs/{failed.id}")).json()["retriedAs"] == again
    assert (await http.get(f"/jobs/{again}")).json()["retryOf"] == str(failed.id)
    refused = await http.post(f"/jobs/{again}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-failed")


async def test_progress_queues_and_workers_are_shown(
    http: httpx.AsyncClient, client: Client, start_worker: StartWorker
) -> None:
    gate = asyncio.Event()

    @job(name="staged", queue="media")
    async def staged(context: JobContext) -> None:
        context.stages(probe=1, transcribe=3)
        context.stage("transcribe")
        context.progress(0.5, "half a film")
        await gate.wait()

    await start_worker(staged, queues=("media",), concurrency=1, name="media-1")
    running, waiting = await client.enqueue(staged), await client.enqueue(staged)

    async def progress() -> object:
        return (await http.get(f"/jobs/{running.id}")).json().get("progress")

    said = {"stage": "transcribe", "stageFraction": 0.5, "fraction": 0.625, "message": "half a film"}
    await becomes(progress, said)
    assert (await http.get(f"/jobs/{waiting.id}")).json()["waitingFor"]["reason"] == "worker"
    [worker] = [each for each in (await http.get("/workers")).json()["data"] if each["name"] == "media-1"]
    assert (worker["queues"], worker["slots"], worker["leaving"]) == (["media"], 1, False)
    [queue] = [each for each in (await http.get("/queues")).json()["data"] if each["queue"] == "media"]
    assert (queue["counts"], queue["workers"]) == ({"Running": 1, "Pending": 1}, 1)
    cancelled = await http.post(f"/jobs/{waiting.id}/cancel", json={"reason": "enough"})
    assert (cancelled.json()["status"], cancelled.json()["errorMessage"]) == ("Cancelled", "enough")
    gate.set()
    await running.wait(10)


async def test_lists_are_filtered_and_counted(
    http: httpx.AsyncClient, client: Client, start_worker: StartWorker
) -> None:
    await client.enqueue_many(app.add, [{"a": each} for each in range(250)])
    later = await client.delay(3600, app.shout.using(queue="low"), "later")
    await later.status()
    listed = (await http.get("/jobs", params={"pageSize": 100, "page": 3})).json()
    assert (listed["totalCount"], listed["totalPages"], len(listed["data"])) == (251, 3, 51)
    newest = (await http.get("/jobs", params={"pageSize": 1})).json()["data"]
    assert [(each["id"], each["status"]) for each in newest] == [(str(later.id), "Scheduled")]
    for params, count in (
        ({"queue": "low"}, 1),
        ({"jobType": app.add.job_type}, 250),
        ({"jobType": app.add.job_type, "queue": "low"}, 0),
        ({"status": "Pending"}, 250),
        ({"status": "Failed"}, 0),
    ):
        assert (await http.get("/jobs", params=params)).json()["totalCount"] == count
    assert (await http.get("/runs")).json()["totalCount"] == 0


async def _status(http: httpx.AsyncClient, where: str) -> str:
    status: str = (await http.get(where)).json()["status"]
    return status
