"""Who may run on a device, and in which order those that wait get their turn."""

from datetime import timedelta
from uuid import UUID

from linstock.messages.schedule import JobPolicy
from services.scheduler.devices import Devices
from services.scheduler.job import Closed, Facts, Pending, Running
from tests.support.schedules import NOON

DISK, OTHER = "nas/sda", "nas/sdb"


def facts(number: int, *, priority: int = 5) -> Facts:
    return Facts(
        job_id=UUID(int=number),
        job_type="LibraryScan",
        queue="library-scan",
        policy=JobPolicy(priority=priority),
        requested_at=NOON + timedelta(seconds=number),
        schedule_id=None,
        library_id=UUID(int=1000 + number),
    )


def running(number: int, device: str = DISK) -> Running:
    return Running(facts=facts(number), attempt=1, worker="w", lease=UUID(int=1), deadline=NOON, device=device)


def waiting(number: int, device: str = DISK, *, priority: int = 5) -> Pending:
    return Pending(facts=facts(number, priority=priority), attempt=1, due=NOON, device=device, device_limit=2)


def devices(*jobs: Running | Pending | Closed) -> Devices:
    known = Devices()
    for each in jobs:
        known.place(each)
    return known


def test_there_is_room_until_as_many_run_as_may_and_on_other_devices_anyway() -> None:
    known = devices(running(1))
    assert known.has_room(facts(9), DISK, 2)
    known.place(running(2))
    assert not known.has_room(facts(9), DISK, 2)
    assert known.has_room(facts(9), OTHER, 2)


def test_a_job_does_not_stand_in_its_own_way() -> None:
    assert devices(running(1)).has_room(facts(1), DISK, 1)


def test_the_one_that_was_asked_for_first_comes_first() -> None:
    known = devices(running(1), waiting(3), waiting(2))
    assert [known.has_room(facts(number), DISK, 2) for number in (2, 3, 9)] == [True, False, False]
    known.place(Closed(facts=facts(1), attempt=1, verdict="succeeded"))
    assert [known.has_room(facts(number), DISK, 2) for number in (2, 3, 9)] == [True, True, False]


def test_a_more_urgent_one_comes_before() -> None:
    known = devices(running(1), waiting(2), waiting(3, priority=9))
    assert [known.has_room(facts(2), DISK, 2), known.has_room(facts(3, priority=9), DISK, 2)] == [False, True]


def test_those_that_wait_are_told_when_one_leaves() -> None:
    known = devices(running(1), waiting(2))
    closed = Closed(facts=facts(1), attempt=1, verdict="succeeded")
    assert known.moved(running(1), closed) == [UUID(int=2)]
    assert known.moved(running(1, OTHER), closed) == []
    assert known.moved(running(1), running(1)) == []
    assert known.moved(None, waiting(2)) == []
