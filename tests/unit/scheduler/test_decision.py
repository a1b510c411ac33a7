"""What is open in a library, when an instant comes: a scan of a part, because of a hint, is in nobody's way."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from linstock.messages.job import ScanRequested
from linstock.messages.schedule import TickFired, TicksSkipped
from services.scheduler.decision import Decider
from tests.support.schedules import LIBRARY, NOON, SCHEDULE, defined, scan_requested
from tests.unit.scheduler.test_index import fed, logged


@pytest.mark.parametrize(("triggered_by", "fires"), [("Hint", True), ("Manual", False)])
async def test_an_instant_fires_beside_a_hinted_scan_and_waits_for_its_end(triggered_by: str, *, fires: bool) -> None:
    request = replace(scan_requested(), triggered_by=triggered_by, waits=triggered_by == "Hint")
    index = fed(await logged(defined(), request))
    decision = Decider(index, tzdata="test").decide(index.schedules[SCHEDULE], NOON + timedelta(hours=14, seconds=1))
    assert decision is not None
    fired = [event for event in decision.events if isinstance(event, TickFired) and event.verdict == "fired"]
    skipped = [event for event in decision.events if isinstance(event, TicksSkipped)]
    requests = [event for append in decision.appends for event in append.events if isinstance(event, ScanRequested)]
    assert (len(fired), [each.waits for each in requests]) == ((1, [True]) if fires else (0, [])), skipped
    assert index.open_jobs_of(LIBRARY) == [request.job_id]
