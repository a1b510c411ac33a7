"""What changed from one version of a schedule to another, as people read it."""

import json
from typing import TYPE_CHECKING

from linstock.cli.screen import Screen

if TYPE_CHECKING:
    from linstock.cli.api import Api


def show(api: "Api", screen: Screen, schedule_id: str, version: int, other: int | None) -> None:
    """What `version` changed; with `other`, from the one to the other."""
    to, against = (version, None) if other is None else (other, version)
    found = api.get(f"/scheduledjobs/{schedule_id}/versions/{to}/diff", against=against)
    if screen.form != "table":
        screen.one(found, [])
        return
    if not found["changes"]:
        screen.say(f"Versions {found['against']} and {found['version']} are the same.")
    for change in found["changes"]:
        screen.say(f"{change['field']}: {_value(change['from'])} -> {_value(change['to'])}")


def _value(value: object) -> str:
    """As JSON, words without quotes."""
    if isinstance(value, str) and value:
        return value
    return "none" if value is None or value in ("", []) else json.dumps(value, ensure_ascii=False)
