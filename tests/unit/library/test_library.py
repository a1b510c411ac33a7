from functools import reduce
from uuid import UUID

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from linstock.messages.library import (
    ChangeLibrary,
    CreateLibrary,
    DeleteLibrary,
    LibraryCommand,
    LibraryCreated,
    LibraryDeleted,
    LibraryEvent,
    LibraryRelocated,
    LibrarySettingsChanged,
    Settings,
)
from services.library import library, rules

ID = UUID(int=7)
PHOTOS = Settings(name="Photos", path="/nas/photos", auto_scan=True)
CREATED = LibraryCreated(library_id=ID, settings=PHOTOS)
DELETED = LibraryDeleted(library_id=ID)
DELETE = DeleteLibrary(library_id=ID)


class Given:
    def __init__(self, *history: LibraryEvent) -> None:
        self.state = reduce(library.evolve, history, library.initial())

    def when(self, command: LibraryCommand) -> list[LibraryEvent]:
        return library.decide(command, self.state, ID)


def test_a_library_is_created_once_however_often_it_is_asked_for() -> None:
    assert Given().when(CreateLibrary(settings=PHOTOS)) == [CREATED]
    assert Given(CREATED).when(CreateLibrary(settings=PHOTOS)) == []
    assert Given(CREATED, DELETED).when(CreateLibrary(settings=PHOTOS)) == []


def test_only_what_is_set_changes_and_the_event_carries_everything() -> None:
    off = ChangeLibrary(library_id=ID, auto_scan=False)
    after = msgspec.structs.replace(PHOTOS, auto_scan=False)
    assert Given(CREATED).when(off) == [LibrarySettingsChanged(library_id=ID, settings=after)]
    assert Given(CREATED, LibrarySettingsChanged(library_id=ID, settings=after)).when(off) == []


def test_another_path_is_a_relocation_that_remembers_the_old_one() -> None:
    moved = msgspec.structs.replace(PHOTOS, path="/nas/pictures")
    assert Given(CREATED).when(ChangeLibrary(library_id=ID, path="/nas/pictures")) == [
        LibraryRelocated(library_id=ID, previous_path="/nas/photos", settings=moved)
    ]


def test_a_deleted_library_stays_deleted_and_can_not_be_changed() -> None:
    assert Given(CREATED).when(DELETE) == [DELETED]
    assert Given(CREATED, DELETED).when(DELETE) == []
    with pytest.raises(library.NoSuchLibrary):
        Given(CREATED, DELETED).when(ChangeLibrary(library_id=ID, name="x"))
    with pytest.raises(library.NoSuchLibrary):
        Given().when(DELETE)


SETTINGS = st.builds(Settings, name=st.sampled_from("ab"), path=st.sampled_from(["/a", "/b"]), auto_scan=st.booleans())
EVENTS = st.one_of(
    st.builds(LibraryCreated, library_id=st.just(ID), settings=SETTINGS),
    st.builds(LibrarySettingsChanged, library_id=st.just(ID), settings=SETTINGS),
    st.builds(LibraryRelocated, library_id=st.just(ID), previous_path=st.just("/x"), settings=SETTINGS),
    st.just(DELETED),
)
COMMANDS = st.one_of(
    st.builds(CreateLibrary, settings=SETTINGS),
    st.builds(ChangeLibrary, library_id=st.just(ID), name=st.sampled_from("ab"), auto_scan=st.booleans()),
    st.just(DELETE),
)


@examples(st.lists(EVENTS), st.lists(EVENTS))
def test_any_history_folds_and_a_split_fold_is_the_whole_fold(
    first: list[LibraryEvent], then: list[LibraryEvent]
) -> None:
    half = reduce(library.evolve, first, library.initial())
    assert reduce(library.evolve, then, half) == reduce(library.evolve, first + then, library.initial())


@examples(st.lists(EVENTS), COMMANDS)
def test_a_command_whose_effect_is_there_already_does_nothing(
    history: list[LibraryEvent], command: LibraryCommand
) -> None:
    given = Given(*history)
    try:
        events = given.when(command)
    except library.NoSuchLibrary:
        return
    assert Given(*history, *events).when(command) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"description": "x" * 2001}, "description"),
        ({"path": "photos"}, "path"),
        ({"path": "/a\0b"}, "path"),
        ({"path": "/" + "é" * 2048}, "path"),
        ({"cron_expression": "61 * * * *"}, "cronExpression"),
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
    ],
)
def test_settings_that_can_not_be_are_refused_by_field(wrong: dict[str, str], field: str) -> None:
    with pytest.raises(rules.InvalidSettings) as refused:
        rules.check(msgspec.structs.replace(PHOTOS, **wrong))
    assert refused.value.field == field


def test_good_settings_pass() -> None:
    rules.check(PHOTOS)
