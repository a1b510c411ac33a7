"""`linstock lib removals`, and what of a library says that something waits, as a person uses it."""

from typing import Any

import pytest

from linstock.cli import held
from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, RUN_ID, library

HELD: dict[str, Any] = {
    "scanId": RUN_ID,
    "count": 40,
    "reason": "too_many",
    "message": "40 of 50 collections are not there; up to 5 may go unasked.",
    "heldAt": "2026-11-23T07:03:25Z",
}
DECIDED = f"POST /libraries/{LIBRARY_ID}/removals/{RUN_ID}"
COLLECTION = {"id": RUN_ID, "kind": "folder", "imageCount": 12, "bytes": 4_200, "path": "2025/Rügen"}


@pytest.fixture
def holding(api: FakeApi) -> FakeApi:
    """A server whose library has something that waits."""
    api.on("GET /libraries", page(library(heldRemovals=HELD)))
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library(heldRemovals=HELD)))
    api.on(f"GET /libraries/{LIBRARY_ID}/removals", page(COLLECTION, total=40))
    for decision in ("approve", "reject"):
        api.on(f"{DECIDED}/{decision}", Answer(200, library()))
    return api


def test_what_is_held_is_listed_with_its_reason(linstock: Linstock, holding: FakeApi) -> None:
    ended = linstock("lib", "removals", "ls", "Holidays", "--limit", "1")
    assert ended.exit_code == 0
    assert HELD["message"] in ended.stderr
    assert "2025/Rügen" in ended.stdout
    assert "1 of 40" in ended.stderr
    assert " 40 " in linstock("lib", "ls").stdout


@pytest.mark.parametrize(("decision", "said"), [("approve", "are marked missing"), ("reject", "stay present")])
def test_a_decision_is_asked_about_with_its_count(
    linstock: Linstock, holding: FakeApi, monkeypatch: pytest.MonkeyPatch, decision: str, said: str
) -> None:
    monkeypatch.setattr(held, "somebody_is_there", lambda: True)
    no = linstock("lib", "removals", decision, "Holidays", input="n\n")
    assert no.exit_code == 1
    assert "40 collections" in no.stderr
    assert holding.told(f"{DECIDED}/{decision}") == []
    yes = linstock("lib", "removals", decision, "Holidays", input="y\n")
    assert yes.exit_code == 0
    assert f"40 collections of Holidays {said}." in yes.stderr
    assert len(holding.told(f"{DECIDED}/{decision}")) == 1


def test_where_nobody_can_be_asked_a_decision_needs_its_yes(linstock: Linstock, holding: FakeApi) -> None:
    ended = linstock("lib", "removals", "approve", "Holidays")
    assert (ended.exit_code, "add --yes to approve 40 collections" in ended.stderr) == (2, True)
    assert linstock("lib", "removals", "approve", "Holidays", "--yes").exit_code == 0


def test_a_limit_that_is_changed_leaves_the_others(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library(guard={"maxRemovedPercent": 10, "maxRemoved": 7, "minAlways": 0})))
    api.on(f"PATCH /libraries/{LIBRARY_ID}", Answer(200, library()))
    ended = linstock("lib", "set", "Holidays", "--max-removed-percent", "50")
    assert ended.exit_code == 0
    assert api.told(f"PATCH /libraries/{LIBRARY_ID}") == [
        {"guard": {"maxRemovedPercent": 50, "maxRemoved": 7, "minAlways": 0}}
    ]
    assert "10 % of the collections, 3 always, never more than 100" in ended.stdout
