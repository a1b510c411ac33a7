"""Commands over HTTP: what reaches the owner, and what the caller is told."""

from uuid import UUID, uuid4

import httpx
from nats.aio.client import Client

from linstock import names
from linstock.messages.answer import Answer
from tests.integration.api.conftest import Owner, World
from tests.support.story import Story
from tests.support.waiting import becomes

NEW = {"name": "Pictures", "path": "/data/pictures"}


async def test_create_says_where_the_library_is_and_what_there_is_to_say_about_it(
    api: httpx.AsyncClient, world: World, story: Story, library_owner: Owner
) -> None:
    await world.tell(story.created())
    position = f"library:{story.library.position}"
    library_owner.reply = lambda command, body: Answer(
        status=201, id=story.library_id, position=position, warnings=("It lies in another.",)
    )
    answer = await api.post(
        "/api/v1/libraries",
        json={
            **NEW,
            "path": "/data//x/../pictures/",
            "autoScan": True,
            "cronExpression": "0 */6 * * *",
            "includeSubfolders": False,
            "excludePatterns": ["*.tmp"],
            "extensions": ["JPG"],
        },
        headers={"Idempotency-Key": "once"},
    )
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/v1/libraries/{story.library_id}")
    assert (answer.json()["path"], answer.json()["warnings"]) == ("/data/pictures", ["It lies in another."])
    read = await api.get(answer.headers["location"])
    assert {**read.json(), "warnings": ["It lies in another."]} == answer.json()
    assert read.headers["etag"] == answer.headers["etag"]
    [(command, body)] = library_owner.commands
    assert (command, body["settings"]) == (
        "CreateLibrary",
        {
            "name": "Pictures",
            "path": "/data//x/../pictures/",  # it is for the owner to tidy it
            "description": "",
            "autoScan": True,
            "cronExpression": "0 */6 * * *",
            "timeZone": "UTC",
            "includeSubfolders": False,
            "excludePatterns": ["*.tmp"],
            "extensions": ["JPG"],
            "guard": {"maxRemovedPercent": 10, "maxRemoved": 100, "minAlways": 3},
            "watch": False,
            "purgeMissingAfterDays": 0,
        },
    )
    assert library_owner.keys == ["once"]


async def test_an_answer_names_its_position_and_the_next_get_shows_the_effect(
    api: httpx.AsyncClient, world: World, story: Story, library_owner: Owner
) -> None:
    await world.tell(story.created())
    position = f"library:{story.renamed('Photos').library.position}"
    library_owner.reply = lambda command, body: Answer(status=200, id=story.library_id, position=position)
    await world.tell(story)
    answer = await api.patch(f"/api/v1/libraries/{story.library_id}", json={"name": "Photos"})
    assert (answer.status_code, answer.headers["linstock-position"]) == (200, position)
    assert answer.json()["name"] == "Photos"
    assert library_owner.commands == [
        (
            "ChangeLibrary",
            {"type": "ChangeLibrary", "libraryId": str(story.library_id), "name": "Photos", "ifVersions": []},
        )
    ]


async def test_what_the_owner_refuses_is_a_problem(api: httpx.AsyncClient, library_owner: Owner) -> None:
    library_owner.reply = lambda command, body: Answer(
        status=404, code="library-not-found", detail="There is no such library.", position="library:7"
    )
    answer = await api.delete(f"/api/v1/libraries/{uuid4()}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (answer.json()["code"], answer.headers["linstock-position"]) == ("library-not-found", "library:7")


async def test_delete_has_no_body(api: httpx.AsyncClient, library_owner: Owner) -> None:
    library_owner.reply = lambda command, body: Answer(status=200)
    answer = await api.delete(f"/api/v1/libraries/{uuid4()}")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_silent_owner_means_later_and_the_operation_tells(
    api: httpx.AsyncClient, client: Client, world: World, story: Story
) -> None:
    answer = await api.post("/api/v1/libraries", json=NEW)
    assert answer.status_code == 202
    location = answer.headers["location"]
    assert (await api.get(location)).json()["status"] == "pending"

    command_id = UUID(location.rpartition("/")[2])
    await client.jetstream().purge_stream(names.COMMANDS)
    story.created().handled(story.library, command_id, "CreateLibrary", Answer(status=201, id=story.library_id))
    await world.tell(story)
    await becomes(lambda: status_of(api, location), "done")
    operation = (await api.get(location)).json()
    assert operation["answer"]["id"] == str(story.library_id)
    assert operation["position"] == f"library:{story.library.position}"


async def status_of(api: httpx.AsyncClient, location: str) -> str:
    status: str = (await api.get(location)).json()["status"]
    return status


async def test_a_scan_asked_for_by_hand(
    api: httpx.AsyncClient, world: World, story: Story, scheduler_owner: Owner
) -> None:
    fresh = await world.tell(story.created())
    scheduler_owner.reply = lambda command, body: Answer(status=202, id=story.run(1))
    path = f"/api/v1/libraries/{story.library_id}/scans"
    answer = await api.post(path, headers=fresh)
    assert (answer.status_code, answer.json()) == (202, {"id": str(story.run(1))})
    assert answer.headers["location"] == f"/api/v1/scans/{story.run(1)}"
    for body in (
        {"triggeredBy": "Manual"},
        {"scanMode": "deep"},
        {"scanMode": "Full"},
        {"scanType": "Full", "scanMode": "deep"},
        {"scanMode": "Incremental"},
    ):
        assert (await api.post(path, json=body)).status_code == 202
    assert [(body["triggeredBy"], body["scanMode"]) for _, body in scheduler_owner.commands] == [
        ("API", "changed"),
        ("Manual", "changed"),
        ("API", "deep"),
        ("API", "deep"),
        ("API", "deep"),
        ("API", "changed"),
    ]


async def test_no_scan_of_a_library_that_is_not_there(api: httpx.AsyncClient, scheduler_owner: Owner) -> None:
    answer = await api.post(f"/api/v1/libraries/{uuid4()}/scans")
    assert (answer.status_code, answer.json()["code"]) == (404, "library-not-found")
    assert scheduler_owner.commands == []


async def test_without_a_bus_a_command_is_refused_and_reads_go_on(
    api: httpx.AsyncClient, client: Client, world: World, story: Story
) -> None:
    await world.tell(story.created())
    await client.jetstream().delete_stream(names.COMMANDS)
    answer = await api.post("/api/v1/libraries", json=NEW)
    assert (answer.status_code, answer.json()["code"]) == (503, "bus-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await api.get("/api/v1/libraries")).status_code == 200
