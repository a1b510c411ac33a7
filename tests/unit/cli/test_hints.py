"""`linstock lib hint` and `lib exclude` as a person uses them."""

import json

from tests.support.fake_api import Answer, FakeApi, page
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, library

HINTS = f"POST /libraries/{LIBRARY_ID}/hints"
PREVIEW = f"POST /libraries/{LIBRARY_ID}/exclusions/preview"


def test_paths_arrive_as_they_are_below_the_library(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on(HINTS, Answer(202, {"paths": 3}))
    ended = linstock("lib", "hint", "Holidays", "2024/a.jpg", "/srv/holidays/2025/", "/srv/holidays")
    assert (ended.exit_code, api.told(HINTS)) == (0, [{"paths": ["2024/a.jpg", "2025", ""]}])
    assert "3 paths noted" in ended.stderr


def test_thousands_of_paths_are_told_a_thousand_at_a_time(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on(HINTS, Answer(202, {"paths": 1}))
    assert linstock("lib", "hint", "Holidays", *(f"{number}.jpg" for number in range(1001))).exit_code == 0
    assert [len(asked["paths"]) for asked in api.told(HINTS)] == [1000, 1]


def test_a_preview_says_what_each_pattern_would_leave_out(linstock: Linstock, api: FakeApi) -> None:
    answer = {
        "patterns": [
            {"pattern": "*.tmp", "collections": 0, "images": 0, "paths": [], "warning": "It matches nothing."},
            {"pattern": "old/", "collections": 2, "images": 1200, "paths": ["old", "a/old"], "warning": None},
        ],
        "collections": 2, "images": 1200, "ofCollections": 12, "ofImages": 5000, "approximate": False,
    }  # fmt: skip
    api.on("GET /libraries", page(library()))
    api.on(PREVIEW, Answer(200, answer))
    ended = linstock("lib", "exclude", "Holidays", "--preview", "*.tmp", "--preview", "old/")
    assert (ended.exit_code, api.told(PREVIEW)) == (0, [{"patterns": ["*.tmp", "old/"]}])
    assert "1,200" in ended.stdout
    assert "old, a/old" in ended.stdout
    assert "*.tmp: It matches nothing." in ended.stderr
    assert "Together 2 of 12 collections and 1,200 of 5,000 images" in ended.stderr
    shown = linstock("lib", "exclude", "Holidays", "--preview", "*.tmp", "-o", "json")
    assert json.loads(shown.stdout) == answer
