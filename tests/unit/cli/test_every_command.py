"""Every command there is: it has an example that parses, refuses what is wrong, and says when it is not allowed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from linstock.cli import main
from tests.support.fake_api import Answer, FakeApi, page, problem
from tests.unit.cli.cases import BAD, ROLES, WRITES, Bad
from tests.unit.cli.conftest import Linstock
from tests.unit.cli.examples import LIBRARY_ID, OTHER_ID, RUN_ID, SCHEDULE_ID, library, run, schedule

EXAMPLE = re.compile(r"\blinstock(?: [^·\n]*)?")


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Every command below `command`, groups too, by the words that lead to it."""
    assert isinstance(command, click.Group)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, name
        path = f"{context.info_name} {name}".strip()
        yield path, found
        if isinstance(found, click.Group):
            yield from walk(found, click.Context(found, info_name=path))


EVERY = dict(walk(main, click.Context(main, info_name="")))
LEAVES = {path: command for path, command in EVERY.items() if not isinstance(command, click.Group)}
ASKING = [path for path, command in LEAVES.items() if any(option.name == "url" for option in command.params)]


def examples_of(command: click.Command) -> list[list[str]]:
    """The words of each example; what a shell does around them is left out."""
    lines = [match[0] for match in EXAMPLE.finditer(command.epilog or "")]
    return [shlex.split(re.split(r"[)>#|]| && ", line)[0])[1:] for line in lines]


@pytest.fixture
def some(api: FakeApi) -> FakeApi:
    """A server with two libraries of one name, a schedule and a run."""
    api.on("GET /libraries", page(library(), library(OTHER_ID, "Twins"), library(RUN_ID, "Twins")))
    api.on(f"GET /libraries/{LIBRARY_ID}", Answer(200, library()))
    api.on("GET /scheduledjobs", page(schedule()))
    api.on(f"GET /scheduledjobs/{SCHEDULE_ID}", Answer(200, schedule()))
    api.on("GET /runs", page(run()))
    api.on("GET /jobs", page())
    api.on(f"GET /runs/{RUN_ID}", Answer(200, run()))
    return api


@pytest.mark.parametrize("path", EVERY)
def test_its_help_has_examples_that_parse(path: str, linstock: Linstock) -> None:
    shown = linstock(*path.split(), "--help")
    assert shown.exit_code == 0
    assert "Example" in shown.stdout
    found = examples_of(EVERY[path])
    assert found
    for words in found:
        _parse(words)


def _parse(words: list[str]) -> None:
    """Raises click.UsageError for words that no command would take."""
    command: click.Command = main
    context = click.Context(main, info_name="linstock")
    while isinstance(command, click.Group) and words:
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        context = click.Context(command, info_name=name, parent=context)
    assert not isinstance(command, click.Group)
    command.make_context(context.info_name or "", list(words))


@pytest.mark.parametrize("path", LEAVES)
def test_it_refuses_what_is_wrong(path: str, linstock: Linstock, some: FakeApi, tmp_path: Path) -> None:
    assert path in BAD, f"`linstock {path}` needs a bad-input case in {Bad.__module__}"
    words, exit_code, said = BAD[path]
    ended = linstock(*path.split(), *(word.replace("{empty}", str(tmp_path)) for word in words),
                     LINSTOCK_DATABASE_URL=None, LINSTOCK_NATS_URL=None)  # fmt: skip
    assert (ended.exit_code, ended.stdout) == (exit_code, ""), ended.output
    assert said in ended.stderr
    assert "Traceback" not in ended.output
    assert not [asked for asked in some.asked if asked.method != "GET"]


@pytest.mark.parametrize("path", ASKING)
def test_without_a_token_it_says_so(path: str, linstock: Linstock, api: FakeApi, tmp_path: Path) -> None:
    assert path in ROLES, f"`linstock {path}` needs a role case in {Bad.__module__}"
    api.otherwise = problem(401, "unauthorized", "An access token is needed.")
    ended = linstock(*path.split(), *(word.replace("{empty}", str(tmp_path)) for word in ROLES[path]))
    assert (ended.exit_code, ended.stdout) == (6, "")
    assert ended.stderr.startswith("Error: An access token is needed. Give a token: --token-file FILE")


@pytest.mark.parametrize("path", ASKING)
def test_with_too_low_a_role_it_says_so(path: str, linstock: Linstock, some: FakeApi, tmp_path: Path) -> None:
    refused = problem(403, "forbidden", "This needs the role admin.")
    some.otherwise = refused
    if path in WRITES:
        some.on(WRITES[path], refused)
    else:
        some.replies.clear()
    ended = linstock(*path.split(), *(word.replace("{empty}", str(tmp_path)) for word in ROLES[path]))
    assert (ended.exit_code, ended.stdout) == (6, "")
    assert ended.stderr == "Error: This needs the role admin. Ask for a token with a higher role.\n"


def test_no_case_is_left_of_a_command_that_is_gone() -> None:
    assert set(BAD) == set(LEAVES)
    assert set(ROLES) == set(ASKING)
    assert set(WRITES) < set(ASKING)
