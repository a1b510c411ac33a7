from datetime import UTC, datetime
from functools import reduce
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from linstock.messages.library import (
    ChangeLibrary,
    CreateLibrary,
    DeleteLibrary,
    FollowSchedule,
    LibraryCommand,
    LibraryCreated,
    LibraryDeleted,
    LibraryEvent,
    LibraryRelocated,
    LibrarySettingsChanged,
    RemovalGuard,
    Settings,
)
from linstock.messages.path import PathReleased, PathTaken
from services.library import library, path, rules

ID = UUID(int=7)
PHOTOS = Settings(name="Photos", path="/nas/photos", auto_scan=True)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CREATED = LibraryCreated(library_id=ID, settings=PHOTOS, auto_scan_at=NOW, timing_at=NOW)
DELETED = LibraryDeleted(library_id=ID)
DELETE = DeleteLibrary(library_id=ID)


class Given:
    def __init__(self, *history: LibraryEvent) -> None:
        self.state = reduce(library.evolve, history, library.initial())

    def when(self, command: LibraryCommand) -> list[LibraryEvent]:
        return library.decide(command, self.state, ID, at=NOW)


def test_a_library_is_created_once_however_often_it_is_asked_for() -> None:
    assert Given().when(CreateLibrary(settings=PHOTOS)) == [CREATED]
    assert Given(CREATED).when(CreateLibrary(settings=PHOTOS)) == []
    assert Given(CREATED, DELETED).when(CreateLibrary(settings=PHOTOS)) == []


def test_only_what_is_set_changes_and_the_event_carries_everything() -> None:
    off = ChangeLibrary(library_id=ID, auto_scan=False)
    after = msgspec.structs.replace(PHOTOS, auto_scan=False)
    switched = LibrarySettingsChanged(library_id=ID, settings=after, auto_scan_at=NOW + library.MOMENT, timing_at=NOW)
    assert Given(CREATED).when(off) == [switched]


def test_a_word_about_auto_scan_counts_even_when_it_says_the_same() -> None:
    """The schedule's older one, which says otherwise, may be on its way."""
    on = Given(CREATED).when(ChangeLibrary(library_id=ID, auto_scan=True))
    assert on == [
        LibrarySettingsChanged(library_id=ID, settings=PHOTOS, auto_scan_at=NOW + library.MOMENT, timing_at=NOW)
    ]
    older = FollowSchedule(library_id=ID, at=NOW, auto_scan=False)
    state = Given(CREATED, *on).state
    assert library.decide(older, state, ID, at=NOW) == []


def test_another_path_is_a_relocation_that_remembers_the_old_one() -> None:
    moved = msgspec.structs.replace(PHOTOS, path="/nas/pictures")
    assert Given(CREATED).when(ChangeLibrary(library_id=ID, path="/nas/pictures")) == [
        LibraryRelocated(library_id=ID, previous_path="/nas/photos", settings=moved, auto_scan_at=NOW, timing_at=NOW)
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
    st.builds(ChangeLibrary, library_id=st.just(ID), name=st.sampled_from("ab"), path=st.sampled_from(["/a", "/b"])),
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
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\ud800b"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"description": "x" * 2001}, "description"),
        ({"path": "photos"}, "path"),
        ({"path": "/a\0b"}, "path"),
        ({"path": "/" + "é" * 2048}, "path"),
        ({"path": "/a\ud800"}, "path"),
        ({"path": "/" + "é" * 128}, "path"),
        ({"path": "/proc"}, "path"),
        ({"path": "/dev/shm/photos"}, "path"),
        ({"exclude_patterns": ("ok", " ")}, "excludePatterns/1"),
        ({"exclude_patterns": ("x" * 201,)}, "excludePatterns/0"),
        ({"exclude_patterns": ("a\nb",)}, "excludePatterns/0"),
        ({"exclude_patterns": ("ok", "[z-a]")}, "excludePatterns/1"),  # pathspec translates it, re can't compile it
        ({"exclude_patterns": ("x",) * 65}, "excludePatterns"),
        ({"extensions": ()}, "extensions"),
        ({"extensions": (".exe",)}, "extensions"),
        ({"cron_expression": "61 * * * *"}, "cronExpression"),
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
    ],
)
def test_settings_that_can_not_be_are_refused_by_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(rules.InvalidSettings) as refused:
        rules.check(msgspec.structs.replace(PHOTOS, **wrong))
    assert refused.value.field == field


def test_good_settings_pass() -> None:
    rules.check(PHOTOS)
    rules.check(msgspec.structs.replace(PHOTOS, exclude_patterns=("@eaDir/", "!keep/**", "*.tmp.jpg")))


def test_settings_are_stored_in_one_way() -> None:
    given = msgspec.structs.replace(
        PHOTOS, name=" Photos ", path="//nas/x/../photos/", cron_expression=" 0  2 * * * ", extensions=("PNG", ".jpg")
    )
    assert rules.tidy(given) == msgspec.structs.replace(PHOTOS, extensions=(".jpg", ".png"))


def test_a_folder_is_taken_once_and_given_back_only_by_its_holder() -> None:
    taken = PathTaken(path="/a", library_id=ID)
    assert path.take(path.initial(), "/a", ID) == [taken]
    held = path.evolve(path.initial(), taken)
    assert path.take(held, "/a", ID) == []
    with pytest.raises(path.PathIsTaken):
        path.take(held, "/a", UUID(int=8))
    assert path.release(held, "/a", UUID(int=8)) == []
    assert path.release(held, "/a", ID) == [PathReleased(path="/a", library_id=ID)]
    assert path.evolve(held, PathReleased(path="/a", library_id=ID)) == path.initial()


@pytest.mark.parametrize(
    ("guard", "field"),
    [
        (RemovalGuard(max_removed_percent=101), "guard/maxRemovedPercent"),
        (RemovalGuard(max_removed=-1), "guard/maxRemoved"),
        (RemovalGuard(min_always=1_000_001), "guard/minAlways"),
    ],
)
def test_limits_of_removals_are_amounts(guard: RemovalGuard, field: str) -> None:
    with pytest.raises(rules.InvalidSettings) as refused:
        rules.check(msgspec.structs.replace(PHOTOS, guard=guard))
    assert refused.value.field == field


def test_a_library_from_before_limits_were_kept_has_the_usual_ones() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(PHOTOS))
    del stored["guard"]
    assert msgspec.convert(stored, Settings).guard == RemovalGuard()
