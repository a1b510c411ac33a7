from hashlib import sha256

import pytest

from linstock.access import roles, tokens
from linstock.access.hosts import is_loopback
from linstock.access.tokens import BadName, BadWorkspace


def test_a_secret_has_256_random_bits_and_is_known_by_its_look() -> None:
    made = {tokens.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(tokens.is_secret(secret) for secret in made)
    assert {len(secret) for secret in made} == {len("linstock_") + 43}  # 43 × 6 bits ≥ 256


@pytest.mark.parametrize("text", ["", "linstock_", "linstock_" + "a" * 42, "linstock_" + "a" * 44, "x" * 52,
                                  "linstock_" + "é" * 43, "linstock_" + "a" * 43 + "\n"])  # fmt: skip
def test_other_text_is_no_secret(text: str) -> None:
    assert not tokens.is_secret(text)


def test_the_hash_is_sha_256() -> None:
    assert tokens.hash_of("linstock_x") == sha256(b"linstock_x").digest()


def test_each_role_may_what_those_before_it_may() -> None:
    allowed = {(has, needed) for has in roles.ROLES for needed in roles.ROLES if roles.covers(has, needed)}
    assert allowed == {
        ("viewer", "viewer"),
        ("operator", "viewer"), ("operator", "operator"),
        ("admin", "viewer"), ("admin", "operator"), ("admin", "admin"),
    }  # fmt: skip


@pytest.mark.parametrize("workspace", ["default", "0", "team-a", "a" * 63])
def test_workspaces_that_can_be(workspace: str) -> None:
    tokens.check_workspace(workspace)


@pytest.mark.parametrize("workspace", ["", "-a", "A", "a.b", "a*", ">", "a b", "a" * 64, "é", "a\n"])
def test_workspaces_that_would_break_a_subject(workspace: str) -> None:
    with pytest.raises(BadWorkspace):
        tokens.check_workspace(workspace)


@pytest.mark.parametrize("name", ["", " a", "a b", "a/b", "a:b", "a" * 65, "é", "a\n"])
def test_names_that_would_blur_an_actor(name: str) -> None:
    with pytest.raises(BadName):
        tokens.check_name(name)


def test_loopback() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.3.2.1", "::1"))
    assert not any(
        is_loopback(host) for host in ("", "0.0.0.0", "::", "192.168.0.1", "example.org", "127.0.0.1.nip.io")
    )
