"""A library and its schedule, told in the words of the systems that come here from elsewhere: /scheduledjobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import Instance, Json, started
from tests.support.trees import put
from tests.support.waiting import until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data_dir = tmp_path_factory.mktemp("words") / "data"
    with started(data_dir) as instance:
        yield instance


def auto_scan(running: Instance, library: str) -> bool:
    found: bool = running.get(f"/libraries/{library}")["autoScan"]
    return found


def enabled(running: Instance, job: str) -> bool | None:
    answer = running.http.get(f"/scheduledjobs/{job}")
    return answer.json()["isEnabled"] if answer.status_code == 200 else None


def told(running: Instance, method: str, path: str, status: int, body: Json | None = None) -> None:
    answer = running.http.request(method, path, json=body)
    assert answer.status_code == status, answer.text


def test_a_scheduled_job_from_autoscan_to_its_return(running: Instance, tmp_path: Path) -> None:
    put(tmp_path / "root", "a/1.jpg")
    library = running.create("Holidays", tmp_path / "root", autoScan=True, cronExpression="0 0 1 1 *")
    job = running.schedule(library)
    assert (job["name"], job["jobType"], job["scheduleType"]) == ("Library Scan - Holidays", "LibraryScan", "Cron")
    assert job["description"] == "Automatic scan for library: Holidays"
    assert (job["parameters"], job["isEnabled"]) == ({"LibraryId": library}, True)
    assert running.get(f"/schedules/{job['id']}") == running.get(f"/scheduledjobs/{job['id']}")
    one = f"/scheduledjobs/{job['id']}"

    run = running.made(running.http.post(f"{one}/trigger", json={"triggeredBy": "Manual", "scanMode": "Full"}))
    assert running.ended(run)["status"] == "Completed"
    (shown,) = running.runs(job["id"])
    assert (shown["id"], shown["triggeredBy"], shown["result"]["libraryId"]) == (run, "Manual", library)

    told(running, "POST", f"{one}/disable", 200)
    until(lambda: not auto_scan(running, library), "the library follows its schedule: off")
    told(running, "POST", f"{one}/enable", 200)
    until(lambda: auto_scan(running, library), "the library follows its schedule: on")

    told(running, "DELETE", one, 204)
    until(lambda: not auto_scan(running, library), "the library follows its schedule: gone")
    assert running.http.get(one).status_code == 404
    assert [each["id"] for each in running.runs(job["id"])] == [run]
    assert running.get(f"/runs/{run}")["status"] == "Completed"

    told(running, "PATCH", f"/libraries/{library}", 200, {"autoScan": True})
    until(lambda: enabled(running, job["id"]), "the schedule is back")
    assert running.schedule(library)["id"] == job["id"]
    assert [each["id"] for each in running.runs(job["id"])] == [run]


def test_the_newer_word_counts_whoever_is_told(running: Instance, tmp_path: Path) -> None:
    put(tmp_path / "root", "a/1.jpg")
    library = running.create("Told twice", tmp_path / "root", autoScan=True, cronExpression="0 0 1 1 *")
    job = running.schedule(library)["id"]
    for word in (False, True, False):
        told(running, "PATCH", f"/libraries/{library}", 200, {"autoScan": not word})
        until(lambda word=word: enabled(running, job) is not word, "both say the other")  # type: ignore[misc]
        told(running, "POST", f"/schedules/{job}/{'enable' if word else 'disable'}", 200)
        until(lambda word=word: auto_scan(running, library) is word, f"the schedule's word, {word}, counts")  # type: ignore[misc]
        assert enabled(running, job) is word
        told(running, "PATCH", f"/libraries/{library}", 200, {"autoScan": not word})
        until(lambda word=word: enabled(running, job) is not word, f"the library's word, {not word}, counts")  # type: ignore[misc]
        assert auto_scan(running, library) is not word


def test_when_it_runs_may_be_told_to_either(running: Instance, tmp_path: Path) -> None:
    put(tmp_path / "root", "a/1.jpg")
    library = running.create("Timed", tmp_path / "root", autoScan=True)
    job = running.schedule(library)
    assert job["cronExpression"] == "0 2 * * *"
    told(running, "PUT", f"/scheduledjobs/{job['id']}", 200, {"cronExpression": "0 */6 * * *"})
    until(lambda: running.get(f"/libraries/{library}")["cronExpression"] == "0 */6 * * *", "the library follows")
    told(running, "PATCH", f"/libraries/{library}", 200, {"cronExpression": "0 3 1 * *", "timeZone": "Asia/Tokyo"})

    def followed() -> bool:
        seen = running.schedule(library)
        return (seen["cronExpression"], seen["timeZone"]) == ("0 3 1 * *", "Asia/Tokyo")

    until(followed, "the schedule follows")
