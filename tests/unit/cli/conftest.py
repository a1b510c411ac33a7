"""The command in this process, and a server that answers as told."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from linstock.cli import main
from tests.support.fake_api import FakeApi, fake_api

Linstock = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as running:
        yield running


@pytest.fixture
def linstock(api: FakeApi) -> Linstock:
    """`linstock WORDS…` against the fake server; nothing of this machine's environment."""

    def run(*words: object, input: str | None = None, **environment: str | None) -> Result:  # noqa: A002
        runner = CliRunner(env={"LINSTOCK_URL": api.url, "LINSTOCK_TOKEN": None, "NO_COLOR": "1", **environment})
        return runner.invoke(main, [str(word) for word in words], prog_name="linstock", input=input)

    return run
