"""How a library is watched, as the API tells it."""

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from linstock import names
from linstock.messages.answer import Answer
from linstock.messages.hints import HintPaths
from linstock.messages.library import LibrarySettingsChanged, Settings
from linstock.messages.schedule import ScanPath
from linstock.messages.watching import POLLING, Watching
from services.api import heard
from tests.integration.api.conftest import Owner, World
from tests.support.recorded import NOON
from tests.support.story import Story
from tests.support.waiting import becomes


def watched(story: Story) -> Story:
    settings = Settings(name="Pictures", path="/data/pictures", watch=True)
    story.library.says(story.library_id, LibrarySettingsChanged(library_id=story.library_id, settings=settings))
    return story


async def test_a_library_says_how_it_is_watched(
    api: httpx.AsyncClient, world: World, story: Story, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/libraries/{story.library_id}"
    fresh = await world.tell(story.created())
    library = (await api.get(path, headers=fresh)).json()
    assert (library["watch"], library["watching"]) == (False, {"mode": "off", "since": None, "reason": ""})
    fresh = await world.tell(watched(story))
    library = (await api.get(path, headers=fresh)).json()
    assert (library["watch"], library["watching"]["mode"]) == (True, "off")
    assert "No scanner" in library["watching"]["reason"]
    said = msgspec.json.encode(Watching(mode=POLLING, since=NOON, reason="It is on nfs."))

    async def mode() -> str:
        await client.publish(names.watching_subject("default", story.library_id), said)
        return str((await api.get(path)).json()["watching"]["mode"])

    await becomes(mode, POLLING)
    assert (await api.get(path)).json()["watching"]["reason"] == "It is on nfs."
    assert (await api.get("/api/v1/libraries")).json()["data"][0]["watching"]["mode"] == POLLING
    monkeypatch.setattr(heard, "WATCHING_S", 0)  # nobody has said anything for longer
    assert (await api.get(path)).json()["watching"]["mode"] == "off"


async def test_hints_reach_the_scheduler(
    api: httpx.AsyncClient, world: World, story: Story, scheduler_owner: Owner
) -> None:
    await api.get("/api/v1/libraries", headers=await world.tell(story.created()))
    scheduler_owner.reply = lambda command, body: Answer(status=202, id=story.library_id)
    answer = await api.post(f"/api/v1/libraries/{story.library_id}/hints", json={"paths": ["2024/Rome/", "a.jpg", ""]})
    assert (answer.status_code, answer.json()) == (200, {"paths": 3})
    [(command, body)] = scheduler_owner.commands
    wanted = HintPaths(
        library_id=story.library_id, paths=tuple(ScanPath(path=each) for each in ("2024/Rome", "a.jpg", ""))
    )
    assert (command, msgspec.convert(body, HintPaths, strict=False)) == ("HintPaths", wanted)
