"""The vectors of Cronos 0.13 (`cronos.json` says where they are from): every instant, every refusal."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linstock import cron
from linstock.cron.fields import FIELDS

VECTORS: dict[str, Any] = msgspec.json.decode((Path(__file__).parent / "cronos.json").read_bytes())
NAMES = {field.name for field in FIELDS} | {"expression"}


def test_every_instant_is_theirs() -> None:
    wrong = []
    for expression, zone, after, inclusive, expected in VECTORS["next"]:
        found = cron.next(expression, zone, datetime.fromisoformat(after), inclusive=inclusive)
        if found != (datetime.fromisoformat(expected) if expected else None):
            wrong.append((expression, zone, after, expected, found))
    assert wrong == []
    assert len(VECTORS["next"]) == 1127


@pytest.mark.parametrize("expression", sorted(set(VECTORS["invalid"])))
def test_what_they_refuse_is_refused_with_the_field_and_a_reason(expression: str) -> None:
    with pytest.raises(cron.InvalidCron) as refused:
        cron.check(expression, "UTC")
    assert refused.value.field in NAMES
    assert refused.value.reason
    assert str(refused.value).startswith(f"{refused.value.field}: ")


def test_expressions_that_never_fire_are_refused() -> None:
    never = {expression for expression, _, _, _, expected in VECTORS["next"] if expected is None}
    assert len(never) > 30
    for expression in never:
        with pytest.raises(cron.InvalidCron, match="no such day ever comes"):
            cron.check(expression, "UTC")
