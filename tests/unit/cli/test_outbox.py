"""`linstock outbox`, as far as it goes without servers."""

import importlib.util
from pathlib import Path

import pytest

from linstock import outbox
from tests.unit.cli.conftest import Linstock

RELAY = ("outbox", "relay", "--database-url", "postgresql:///app")


def test_the_ddl_is_that_of_the_sdk(linstock: Linstock) -> None:
    assert linstock("outbox", "ddl").stdout == outbox.DDL
    named = linstock("outbox", "ddl", "--schema", "app", "--table", "wanted").stdout
    assert named == outbox.Outbox(schema="app", table="wanted").ddl


def test_a_relay_without_its_driver_says_what_to_install(linstock: Linstock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    ended = linstock(*RELAY)
    assert (ended.exit_code, ended.stderr) == (2, "Error: The relay needs asyncpg: pip install 'linstock[outbox]'\n")


def test_a_relay_says_what_it_was_not_told(linstock: Linstock, tmp_path: Path) -> None:
    ended = linstock("outbox", "relay", LINSTOCK_OUTBOX_URL=None)
    assert (ended.exit_code, "--database-url, or LINSTOCK_OUTBOX_URL" in ended.stderr) == (2, True)
    ended = linstock(*RELAY, "--data-dir", tmp_path, LINSTOCK_NATS_URL=None)
    assert (ended.exit_code, f"No Linstock runs on {tmp_path}" in ended.stderr) == (3, True)
