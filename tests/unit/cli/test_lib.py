"""`linstock lib` as a person uses it."""

import json
from pathlib import Path

import pytest

from tests.support.fake_api import Answer, FakeApi, page, problem
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, OTHER_ID, RUN_ID, library, run, scan, schedule

SCANS = f"POST /libraries/{LIBRARY_ID}/scans"


@pytest.fixture
def adding(api: FakeApi) -> FakeApi:
    """A server that takes any library, and scans it."""
    api.on("POST /libraries", lambda asked: Answer(201, library() | asked.body))
    api.on(SCANS, Answer(202, {"id": RUN_ID}))
    api.on(f"GET /scans/{RUN_ID}", Answer(200, scan("Running")), Answer(200, scan()))
    api.on(f"GET /libraries/{LIBRARY_ID}/scans", page())
    return api


def test_a_folder_becomes_a_library_named_after_it_and_is_scanned(
    linstock: Linstock, adding: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Summer").mkdir()
    monkeypatch.chdir(tmp_path)
    ended = linstock("lib", "add", "Summer")
    assert ended.exit_code == 0
    assert adding.told("POST /libraries") == [{"name": "Summer", "path": str(tmp_path / "Summer"), "autoScan": True}]
    assert adding.told(SCANS) == [{"triggeredBy": "Manual"}]
    assert "linstock run show 31e31418 --wait" in ended.stderr


def test_every_setting_arrives_as_the_api_names_it(linstock: Linstock, adding: FakeApi, tmp_path: Path) -> None:
    ended = linstock(
        "lib", "add", tmp_path, "--name", "N", "--description", "D", "--no-auto-scan", "--cron", "0 3 * * *",
        "--zone", "Asia/Tokyo", "--exclude", "*.tmp", "--exclude", "cache/", "--ext", ".JPG", "--ext", "png",
        "--no-subfolders", "--no-scan",
    )  # fmt: skip
    assert ended.exit_code == 0
    assert adding.told("POST /libraries") == [
        {
            "name": "N", "path": str(tmp_path), "description": "D", "autoScan": False, "cronExpression": "0 3 * * *",
            "timeZone": "Asia/Tokyo", "excludePatterns": ["*.tmp", "cache/"], "extensions": [".jpg", ".png"],
            "includeSubfolders": False,
        }
    ]  # fmt: skip
    assert adding.told(SCANS) == []


def test_a_folder_that_is_one_already_is_refused_and_its_library_named(
    linstock: Linstock, adding: FakeApi, tmp_path: Path
) -> None:
    adding.on("POST /libraries", problem(409, "path-taken", "It is taken."))
    adding.on("GET /libraries", page(library(), library(OTHER_ID, "Summer", str(tmp_path))))
    ended = linstock("lib", "add", tmp_path)
    assert ended.exit_code == 5
    assert f"{tmp_path} is a library already: Summer ({OTHER_ID})" in ended.stderr
    assert adding.told(SCANS) == []


def test_warnings_go_to_stderr_and_json_alone_to_stdout(linstock: Linstock, adding: FakeApi, tmp_path: Path) -> None:
    adding.on("POST /libraries", Answer(201, library() | {"warnings": ["It lies inside Everything."]}))
    ended = linstock("lib", "add", tmp_path, "--wait", "-o", "json")
    assert ended.exit_code == 0
    assert "Warning: It lies inside Everything." in ended.stderr
    shown = json.loads(ended.stdout)
    assert (shown["id"], shown["scan"]["status"]) == (LIBRARY_ID, "Completed")


def test_a_server_elsewhere_wants_an_absolute_path_and_looks_itself(
    linstock: Linstock, adding: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linstock.cli.server.LOOPBACK", ())
    assert linstock("lib", "add", "Summer").exit_code == 2
    assert linstock("lib", "add", "/only/there").exit_code == 0
    assert adding.told("POST /libraries")[0]["path"] == "/only/there"


def test_scan_and_no_scan_contradict_each_other(linstock: Linstock, adding: FakeApi, tmp_path: Path) -> None:
    assert linstock("lib", "add", tmp_path, "--wait", "--no-scan").exit_code == 2
    assert adding.asked == []


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--name", "New"), {"name": "New"}),
        (("--exclude", "a", "--exclude", "b"), {"excludePatterns": ["a", "b"]}),
        (("--clear-excludes",), {"excludePatterns": []}),
        (("--no-auto-scan",), {"autoScan": False}),
        (("--subfolders",), {"includeSubfolders": True}),
    ],
)
def test_only_what_is_given_is_changed(
    words: tuple[str, ...], sent: dict[str, object], linstock: Linstock, api: FakeApi
) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"PATCH /libraries/{LIBRARY_ID}", lambda asked: Answer(200, library() | asked.body))
    ended = linstock("lib", "set", "Holidays", *words)
    assert ended.exit_code == 0, ended.output
    assert api.told(f"PATCH /libraries/{LIBRARY_ID}") == [sent]


def test_a_new_place_is_told_as_the_server_will_see_it(linstock: Linstock, api: FakeApi, tmp_path: Path) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"PATCH /libraries/{LIBRARY_ID}", Answer(200, library()))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    linstock("lib", "set", "Holidays", "--path", tmp_path / "link")
    assert api.told(f"PATCH /libraries/{LIBRARY_ID}") == [{"path": str(tmp_path / "real")}]


def test_show_tells_when_it_is_scanned_in_words_and_what_failed_last(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"GET /scheduledjobs/library/{LIBRARY_ID}", Answer(200, schedule()))
    ended = linstock("lib", "show", "10e7")
    assert ended.exit_code == 0
    assert "At 02:00, every day, Europe/Berlin" in ended.stdout
    assert "The disk was away." in ended.stdout
    whole = json.loads(linstock("lib", "show", "10e7", "-o", "json").stdout)
    assert (whole["statistics"], whole["schedule"]["isEnabled"]) == (None, True)


def test_show_says_what_the_latest_scan_could_not_read(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(f"GET /libraries/{LIBRARY_ID}/scans", page({"id": RUN_ID, "counts": {"errors": 1234}}))
    ended = linstock("lib", "show", LIBRARY_ID)
    assert f"1,234: linstock run show {RUN_ID[:8]}" in ended.stdout


def test_removing_asks_only_where_somebody_can_answer(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"DELETE /libraries/{LIBRARY_ID}", Answer(204))
    assert linstock("lib", "rm", "Holidays").exit_code == 2
    assert api.told(f"DELETE /libraries/{LIBRARY_ID}") == []
    assert linstock("lib", "rm", "Holidays", "--yes").exit_code == 0
    assert api.told(f"DELETE /libraries/{LIBRARY_ID}") == [None]


@pytest.mark.parametrize(("answered", "exit_code", "deleted"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 130, 0)])
def test_the_question_names_what_goes_with_it(
    answered: str, exit_code: int, deleted: int, linstock: Linstock, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.on("GET /libraries", page(library()))
    api.on(f"GET /libraries/{LIBRARY_ID}/collections", page({"id": 1}, total=1234))
    api.on(f"DELETE /libraries/{LIBRARY_ID}", Answer(204))
    monkeypatch.setattr("linstock.cli.libraries.somebody_is_there", lambda: True)
    ended = linstock("lib", "rm", "Holidays", input=answered)
    assert (ended.exit_code, len(api.told(f"DELETE /libraries/{LIBRARY_ID}"))) == (exit_code, deleted)
    assert "the catalogue of its 1,234 collections. Nothing on disk is touched." in ended.stderr


def test_lists_are_read_over_as_many_pages_as_it_takes(linstock: Linstock, api: FakeApi) -> None:
    def answer(number: int) -> Answer:
        rows = [library(f"{number}{index:07}-0000-4000-8000-000000000000", f"L{index}") for index in range(200)]
        return Answer(200, {"data": rows, "totalCount": 450, "page": number, "pageSize": 200, "totalPages": 3})

    api.on("GET /libraries", lambda asked: answer(int(asked.query["page"])))
    ended = linstock("lib", "ls", "--limit", "300", "-o", "jsonl")
    assert len(ended.stdout.splitlines()) == 300
    assert ended.stderr == "300 of 450; --limit 450 shows all.\n"


@pytest.mark.parametrize(
    ("given", "exit_code", "said"),
    [
        ("Holidays", 0, ""),
        (LIBRARY_ID, 0, ""),
        ("10E73985", 0, ""),
        ("10e7", 2, f"{OTHER_ID} (Twins)"),
        ("10e", 4, "There is no library '10e'"),
        ("Twins", 2, f"{RUN_ID} (Twins)"),
        ("holidays", 4, "There is no library 'holidays'"),
        ("", 4, "There is no library ''"),
    ],
)
def test_a_library_is_named_by_id_beginning_of_it_or_exact_name(
    given: str, exit_code: int, said: str, linstock: Linstock, api: FakeApi
) -> None:
    api.on("GET /libraries", page(library(), library(OTHER_ID, "Twins"), library(RUN_ID, "Twins")))
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    ended = linstock("lib", "show", given)
    assert ended.exit_code == exit_code
    assert said in ended.stderr


def test_completion_offers_names_and_is_silent_when_nothing_answers(linstock: Linstock, api: FakeApi) -> None:
    api.on("GET /libraries", page(library(), library(OTHER_ID, "Twins")))
    asked = {"_LINSTOCK_COMPLETE": "bash_complete", "COMP_WORDS": "linstock lib show Ho", "COMP_CWORD": "3"}
    assert linstock(**asked).stdout.splitlines() == ["plain,Holidays"]
    api.on("GET /libraries", page(library(name="Holidays in Rome; rm -r")))
    assert linstock(**asked).stdout.splitlines() == ["plain,10e73985"]
    api.on("GET /libraries", problem(401, "unauthorized", "An access token is needed."))
    assert linstock(**asked).output.strip() == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--mode", "quick"), {"scanMode": "quick"}),
        (("--deep",), {"scanMode": "deep"}),
        (("--deep", "--mode", "deep"), {"scanMode": "deep"}),
        (("--dry-run",), {"dryRun": True}),
        (("--path", "2024//Rome/"), {"scope": {"path": "2024/Rome"}}),
        (("--path", "/srv/holidays/лето/夏"), {"scope": {"path": "лето/夏"}}),
        (("--path", "."), {"scope": {"path": ""}}),
        (("--path", "/srv/holidays"), {"scope": {"path": ""}}),
        (("--path", "caf\udce9"), {"scope": {"path": "caf\N{REPLACEMENT CHARACTER}", "pathBytes": "Y2Fm6Q=="}}),
    ],
)
def test_what_a_scan_looks_at(
    linstock: Linstock, api: FakeApi, words: tuple[str, ...], told: dict[str, object]
) -> None:
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(SCANS, Answer(202, {"id": RUN_ID}))
    assert linstock("lib", "scan", LIBRARY_ID, *words).exit_code == 0
    assert api.told(SCANS) == [{"triggeredBy": "Manual"} | told]


def test_two_modes_at_once_are_refused(linstock: Linstock, api: FakeApi) -> None:
    ended = linstock("lib", "scan", LIBRARY_ID, "--deep", "--mode", "quick")
    assert (ended.exit_code, api.told(SCANS)) == (2, [])
    assert "--deep is --mode deep" in ended.stderr


def test_show_says_what_was_read_and_what_cannot_be(linstock: Linstock, api: FakeApi) -> None:
    growth = {"collections": 0, "images": 0, "bytes": 0}
    statistics = {
        "collections": 3, "missingCollections": 0, "images": 40, "bytes": 4_200_000, "heldRemovals": 0, "runs": 7,
        "growth": {"last7Days": growth}, "successRate": None, "lastRunAt": None, "lastErrorMessage": None,
        "readCollections": 3, "covers": 2, "quarantinedFiles": 5,
    }  # fmt: skip
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(f"GET /libraries/{LIBRARY_ID}/statistics", Answer(200, statistics))
    api.on(f"GET /libraries/{LIBRARY_ID}/scans", page())
    ended = linstock("lib", "show", LIBRARY_ID)
    assert ended.exit_code == 0, ended.stderr
    assert "3 collections, 2 covers" in ended.stdout
    assert f"5 files: linstock lib quarantine {LIBRARY_ID[:8]}" in ended.stdout


def test_quarantine_lists_what_and_why(linstock: Linstock, api: FakeApi) -> None:
    file = {
        "collectionId": OTHER_ID, "path": "a/1.jpg", "name": "1.jpg", "bytes": 12, "code": "corrupt",
        "message": "image file is truncated", "since": "2026-11-23T07:03:25Z",
    }  # fmt: skip
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on(f"GET /libraries/{LIBRARY_ID}/quarantine", page(file, total=3))
    ended = linstock("lib", "quarantine", LIBRARY_ID, "--limit", "1")
    assert ended.exit_code == 0
    assert all(word in ended.stdout for word in ("a/1.jpg", "corrupt", "image file is truncated"))
    assert "1 of 3" in ended.stderr
    assert json.loads(linstock("lib", "quarantine", LIBRARY_ID, "-n", "1", "-o", "jsonl").stdout) == file


def test_a_run_that_follows_a_scan_is_found_by_the_beginning_of_its_id(linstock: Linstock, api: FakeApi) -> None:
    enriching = run() | {"jobType": "Enrich", "libraryId": LIBRARY_ID, "result": {"collections": 1}}
    api.on("GET /runs", lambda asked: page(enriching) if asked.query.get("jobType") == "Enrich" else page())
    ended = linstock("run", "ls", "--type", "enrich")
    assert RUN_ID[:8] in ended.stdout
    shown = json.loads(linstock("run", "show", RUN_ID[:8], "-o", "json").stdout)
    assert shown == enriching
