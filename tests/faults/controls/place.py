"""Where a control runs: an empty database and an empty, provisioned NATS of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Scenario = Callable[["Place", bool], Awaitable[str]]
"""(place, sabotaged) -> what was wrong."""


@dataclass(frozen=True)
class Place:
    database_url: str
    nats_url: str


def wrong(**counts: int) -> str:
    """The counts that are not 0, in words."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)
