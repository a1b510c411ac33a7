"""A process whose clock is made wrong must believe it, or the replica that is a day ahead proves nothing."""

import subprocess
import sys

BELIEVES = """
import time
from datetime import timedelta
real_s = time.time()
from tests.faults import ahead
ahead._set_time(86400)
from linstock import owner
ahead._set_datetime(timedelta(days=1))
print(round(time.time() - real_s), round(owner._utc_now().timestamp() - real_s), round(time.time_ns() / 1e9 - real_s))
"""


def test_a_clock_that_is_a_day_ahead_is_believed() -> None:
    said = subprocess.run([sys.executable, "-c", BELIEVES], capture_output=True, text=True, check=True, timeout=60)
    days = [int(each) / 86_400 for each in said.stdout.split()]
    assert [round(each, 3) for each in days] == [1, 1, 1]
