import pytest

from linstock import settings
from linstock.settings import BadSetting, MissingSetting

LEAST = {"LINSTOCK_DATABASE_URL": "postgresql://u:p@/db", "LINSTOCK_NATS_URL": "nats://u:p@127.0.0.1:4222"}


def test_the_least_environment_gives_loopback_defaults() -> None:
    read = settings.read(LEAST, "library")
    assert (read.service, read.host, read.port, read.probe_host, read.probe_port) == (
        "library",
        "127.0.0.1",
        8321,
        "127.0.0.1",
        0,
    )


@pytest.mark.parametrize("name", sorted(LEAST))
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(MissingSetting) as missing:
        settings.read({**LEAST, name: ""}, "library")
    assert missing.value.name == name
    assert name in str(missing.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINSTOCK_PORT", "http"),
        ("LINSTOCK_PORT", "65536"),
        ("LINSTOCK_PROBE_PORT", "-1"),
        ("LINSTOCK_LOG_FORMAT", "xml"),
        ("LINSTOCK_THUMBNAILS_MIB", "many"),
        ("LINSTOCK_THUMBNAILS_MIB", "1000001"),
        ("LINSTOCK_NATS_URL", "http://127.0.0.1"),
        ("LINSTOCK_DATABASE_URL", "mysql://u:hunter2@h/db"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_secrets(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as bad:
        settings.read({**LEAST, name: value}, "library")
    assert bad.value.name == name
    assert "hunter2" not in str(bad.value)
