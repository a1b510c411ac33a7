"""The scanner and its read models against a plain model of what they must say, in libraries where anything happens."""

import errno
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from linstock.messages.catalogue import RemovalsRejected
from services.projection.views import files, holds
from services.scanner import archive, batch, catalogue, guard, index, listing, remembered, undo, walk
from services.scanner.batch import Batch
from services.scanner.catalogue import CATALOGUE
from services.scanner.file_moves import Lost
from services.scanner.ledger import Ledger
from services.scanner.listing import Listing, list_folder
from services.scanner.opening import open_below
from services.scanner.purge import Missing
from services.scanner.removals import Looked
from services.scanner.scope import Scope
from services.scanner.tally import Tally
from services.scanner.undo import Undo
from tests.model.happenings import locked
from tests.model.machine import Library
from tests.model.world import World

# Short and always the same here; `make model` sets both.
EXAMPLES = int(os.environ.get("LINSTOCK_MODEL_EXAMPLES", "30"))
SEED = os.environ.get("LINSTOCK_MODEL_SEED")
STEPS = 25
CONTROL_EXAMPLES = max(100, EXAMPLES)


@pytest.fixture
def world(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With disks that may fail to read, whoever runs this, and whose folders never changed just now."""

    def listed(root: bytes, path: bytes, *rest: Any) -> Listing:
        if locked(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return list_folder(root, path, *rest)

    def opened(root: bytes, path: bytes, *rest: Any) -> int:
        if locked(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_below(root, path, *rest)

    monkeypatch.setattr(listing, "SURE_AFTER_NS", -1)
    monkeypatch.setattr(walk, "list_folder", listed)
    monkeypatch.setattr(archive, "open_below", opened)
    world = World(database_url)
    monkeypatch.setattr(Library, "world", world, raising=False)
    yield world
    world.close()


def run(examples: int, *phases: Phase) -> None:
    class Tried(Library):
        pass

    machine: Any = Tried if SEED is None else seed(int(SEED))(Tried)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=SEED is None,
            database=None,
            deadline=None,
            phases=phases or (Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("world")
def test_whatever_happens_to_a_library_the_read_models_say_what_is_known_and_what_is_there() -> None:
    print(f"LINSTOCK_MODEL_SEED={SEED} LINSTOCK_MODEL_EXAMPLES={EXAMPLES}")  # shown when it fails
    run(EXAMPLES)


def no_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guard, "doubt", lambda *_: None)


def missing_is_what_could_not_be_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tally, "knows_nothing_of", lambda *_: False)


def missing_is_what_is_left_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Scope, "leaves_out", lambda *_: False)


def any_disk_will_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "file_system", "")
    patch.setattr(Looked, "steady", True)


def folders_are_never_looked_at_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(remembered, "stamp_of", lambda *_: listing.UNSURE)
    patch.setattr(listing, "stamp_of", lambda *_: listing.UNSURE)
    patch.setattr(remembered, "UNSURE", None)


def odd_folders_are_remembered(patch: pytest.MonkeyPatch) -> None:
    real = Tally.mark
    patch.setattr(Tally, "mark", lambda tally: replace(real(tally), odd=()))


def what_was_marked_stays_remembered(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None: ...

    patch.setattr(index, "forget_those_of", nothing)


def rejected_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = catalogue.evolve

    def evolve(state: Any, event: Any) -> Any:
        return replace(state, hold=None) if isinstance(event, RemovalsRejected) else real(state, event)

    patch.setattr(CATALOGUE, "evolve", evolve)


def deep_opens_no_archive_again(patch: pytest.MonkeyPatch) -> None:
    real = Batch._is_as_opened

    def is_as_opened(batch: Any, *given: Any) -> bool:
        task, batch._task = batch._task, replace(batch._task, mode="changed")
        try:
            return real(batch, *given)
        finally:
            batch._task = task

    patch.setattr(Batch, "_is_as_opened", is_as_opened)


def images_that_are_gone_are_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(files, "_without", lambda *_: ())


def a_hold_is_never_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(holds, "SETTLED", "held")


def undo_takes_back_what_others_did_later(patch: pytest.MonkeyPatch) -> None:
    real = Undo.see

    def see(undoing: Any, event: Any) -> None:
        real(undoing, event)
        for touched in undoing._touched.values():
            touched.later = False

    patch.setattr(Undo, "see", see)


def undo_forgets_images(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(undo, "_names", lambda *_: ())


def single_images_do_not_move(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lost, "moves", lambda *_: {})


def what_is_there_is_purged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Missing, "_found", lambda *_: None)


def copies_are_taken_for_moves(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch, "is_gone", lambda *_, **__: True)


def moves_are_not_seen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch, "origin", lambda *_, **__: None)


CONTROLS = (
    no_guard,
    missing_is_what_could_not_be_read,
    missing_is_what_is_left_out,
    folders_are_never_looked_at_again,
    odd_folders_are_remembered,
    images_that_are_gone_are_shown,
    a_hold_is_never_settled,
    undo_forgets_images,
    moves_are_not_seen,
    single_images_do_not_move,
)
# These take longer to come upon: `make model` tries them too.
RARE = (
    any_disk_will_do,
    what_was_marked_stays_remembered,
    rejected_is_forgotten,
    deep_opens_no_archive_again,
    undo_takes_back_what_others_did_later,
    copies_are_taken_for_moves,
    what_is_there_is_purged,
)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("sabotage", CONTROLS if SEED is None else CONTROLS + RARE, ids=lambda each: each.__name__)
def test_the_model_notices(sabotage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage(monkeypatch)
    with pytest.raises(AssertionError):
        run(CONTROL_EXAMPLES, Phase.generate)
