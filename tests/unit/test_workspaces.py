"""What is in one workspace is not there for another, whatever it is told and whether the index has seen it yet."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from linstock import names
from linstock.bus.inbox import CommandContext, NotYet, Refused
from linstock.eventlog.memory import MemoryLog
from linstock.eventlog.record import Append, Origin
from linstock.messages.job import CancelRun, ScanRequested
from linstock.messages.library import ChangeLibrary, CreateLibrary, DeleteLibrary, LibraryCommand, Settings
from linstock.messages.rules import Timing
from linstock.messages.schedule import JobPolicy, ScanTarget, ScheduleDefined
from linstock.messages.schedule_commands import (
    ChangeSchedule,
    CreateSchedule,
    DeleteSchedule,
    DisableSchedule,
    EnableSchedule,
    RequestScan,
    TriggerSchedule,
)
from linstock.roots import AllowedRoots
from services.library.commands import LibraryPlanner
from services.scheduler.commands import SchedulerCommand, SchedulerPlanner
from services.scheduler.index import Index

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIBRARY, JOB = UUID(int=7), UUID(int=8)
SCHEDULE = names.schedule_of(LIBRARY)
TIMING = Timing(expression="0 2 * * *", zone="UTC")
TARGET = ScanTarget(library_id=LIBRARY, library_name="Photos", library_path="/nas/photos")


def by(workspace: str) -> CommandContext:
    return CommandContext(command_id=uuid4(), workspace=workspace, actor="test", at=NOON)


def origin(workspace: str) -> Origin:
    return Origin(workspace=workspace, actor="test", at=NOON, correlation_id=uuid4())


class Libraries:
    """The library service's planner, whose plans are appended."""

    def __init__(self) -> None:
        self.log = MemoryLog(names.LIBRARY)
        self._planner = LibraryPlanner(self.log, AllowedRoots(()))

    async def tell(self, command: LibraryCommand, workspace: str) -> UUID:
        plan = await self._planner.plan(command, by(workspace))
        await self.log.append(plan.appends, origin(workspace))
        assert plan.answer.id
        return plan.answer.id


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_library_of_another_workspace_can_be_told_nothing(deleted: bool) -> None:
    libraries = Libraries()
    library_id = await libraries.tell(CreateLibrary(settings=Settings(name="A", path="/nas/a")), "team-a")
    if deleted:
        await libraries.tell(DeleteLibrary(library_id=library_id), "team-a")
    before = await libraries.log.last_position()
    for command in (
        ChangeLibrary(library_id=library_id, name="B"),
        ChangeLibrary(library_id=library_id, if_versions=(99,)),  # a 412 would say that it is there
        ChangeLibrary(library_id=library_id, name=""),  # and so would a 422
        DeleteLibrary(library_id=library_id),
    ):
        with pytest.raises(Refused) as refused:
            await libraries.tell(command, "team-b")
        assert (refused.value.answer.status, refused.value.answer.code) == (404, "library-not-found")
    assert await libraries.log.last_position() == before
    if not deleted:
        await libraries.tell(ChangeLibrary(library_id=library_id, name="B"), "team-a")


async def test_two_workspaces_may_have_the_same_folder() -> None:
    libraries = Libraries()
    for workspace in ("team-a", "team-b"):
        await libraries.tell(CreateLibrary(settings=Settings(name="A", path="/nas/a")), workspace)
    with pytest.raises(Refused):
        await libraries.tell(CreateLibrary(settings=Settings(name="A", path="/nas/a")), "team-b")


class Scheduled:
    """A schedule and an open job in workspace team-a."""

    def __init__(self, *, seen: bool) -> None:
        self.log = MemoryLog(names.SCHEDULER)
        self.index = Index()
        self.planner = SchedulerPlanner(self.log, self.index)
        self._seen = seen

    async def fill(self) -> None:
        defined = ScheduleDefined(
            schedule_id=SCHEDULE,
            name="A",
            description="",
            timing=TIMING,
            target=TARGET,
            enabled=True,
            library_version=1,
            cursor=NOON,
        )
        requested = ScanRequested(
            job_id=JOB,
            schedule_id=SCHEDULE,
            instant=None,
            triggered_by="API",
            target=TARGET,
            policy=JobPolicy(),
            requested_at=NOON,
        )
        appends = [
            Append(aggregate="schedule", aggregate_id=SCHEDULE, expected_version=0, events=[defined]),
            Append(aggregate="job", aggregate_id=JOB, expected_version=0, events=[requested]),
        ]
        for recorded in await self.log.append(appends, origin("team-a")):
            if self._seen:
                self.index.apply(recorded)


COMMANDS: list[SchedulerCommand] = [
    RequestScan(library_id=LIBRARY),
    TriggerSchedule(schedule_id=SCHEDULE),
    CreateSchedule(library_id=LIBRARY, name="B", timing=TIMING, policy=JobPolicy()),
    ChangeSchedule(schedule_id=SCHEDULE, name="B"),
    ChangeSchedule(schedule_id=SCHEDULE, if_versions=(99,)),
    EnableSchedule(schedule_id=SCHEDULE),
    DisableSchedule(schedule_id=SCHEDULE),
    DeleteSchedule(schedule_id=SCHEDULE),
    CancelRun(job_id=JOB),
]


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
async def test_a_schedule_and_a_run_of_another_workspace_can_be_told_nothing(
    command: SchedulerCommand, seen: bool
) -> None:
    scheduled = Scheduled(seen=seen)
    await scheduled.fill()
    with pytest.raises((Refused, NotYet)) as refused:
        await scheduled.planner.plan(command, by("team-b"))
    if isinstance(refused.value, Refused):  # NotYet becomes a 404 after a while
        assert refused.value.answer.status == 404
    if seen and not isinstance(command, RequestScan | TriggerSchedule):  # a scan of it is open already
        wanted = ChangeSchedule(schedule_id=SCHEDULE, name="B") if isinstance(command, ChangeSchedule) else command
        assert (await scheduled.planner.plan(wanted, by("team-a"))).answer.status < 300
