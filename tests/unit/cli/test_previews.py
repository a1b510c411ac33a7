"""`linstock schedule preview`: what is asked, and how the last 30 days are told."""

import re

from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import SCHEDULE_ID, schedule

TOLD = {
    "cronExpression": "0 2 * * *",
    "timeZone": "UTC",
    "words": "At 02:00, every day, UTC",
    "next": [{"at": "2026-11-26T02:00:00Z", "local": "2026-11-26T02:00:00+00:00"}],
    "warnings": [],
    "replay": {
        "since": "2026-10-26T00:00:00Z", "runs": 26, "instants": 29, "outsideWindow": 1, "absences": 2, "fired": 26,
        "caughtUp": 3, "missed": 2, "skipped": 1, "delayed": 0, "endedOther": 0, "longestDelaySeconds": 0.0,
        "clashes": [], "complete": True,
    },
}  # fmt: skip


def test_the_last_30_days_under_another_misfire_rule(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /scheduledjobs", page(schedule()))
    api.on("POST /schedules/preview", Answer(200, TOLD))
    ended = linstock("schedule", "preview", "--of", "9ce9", "--misfire", "fire_all", "--catchup-window", "86400",
                     "--catchup-limit", "5", "--ends", "none", "--overlap", "buffer_one")  # fmt: skip
    assert ended.exit_code == 0, ended.stderr
    assert api.told("POST /schedules/preview") == [
        {
            "scheduledJobId": SCHEDULE_ID, "count": 10, "misfirePolicy": "fire_all", "catchupWindowSeconds": 86400,
            "catchupLimit": 5, "endsAt": None, "overlapPolicy": "buffer_one",
        }
    ]  # fmt: skip
    lines = dict(re.split(r" {2,}", line, maxsplit=1) for line in ended.stdout.splitlines() if not line.startswith(" "))
    assert lines["last 30 days"] == "29 times, 26 would have fired"
    assert (lines["caught up"], lines["missed"]) == ("3, when somebody was there again", "2, when nobody was (2 times)")
    assert (lines["outside"], lines["skipped"]) == ("1", "1, while another ran")
