"""Keeping house over HTTP: who is told, and where its outcome will be."""

import httpx

from linstock.messages.answer import Answer
from tests.integration.api.conftest import Owner
from tests.support.story import Story


async def test_cleaning_is_a_run_of_the_schedulers(
    api: httpx.AsyncClient, story: Story, scheduler_owner: Owner
) -> None:
    scheduler_owner.reply = lambda command, body: Answer(status=202, id=story.run(1))
    for body, dry_run in (({}, False), ({"dryRun": True}, True)):
        answer = await api.post("/api/v1/maintenance/thumbnails/clean", json=body)
        assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/v1/runs/{story.run(1)}")
        assert answer.json() == {"id": str(story.run(1)), "dryRun": dry_run}
    assert [told["dryRun"] for _, told in scheduler_owner.commands] == [False, True]
