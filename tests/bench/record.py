"""The record of a measurement: docs/bench/<name>.json."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.bench.figure import Figure
from tests.bench.machine import description

RESULTS = Path(__file__).parents[2] / "docs" / "bench"


def write(name: str, figures: Sequence[Figure], fdatasync: float, meanwhile: dict[str, float], **more: object) -> None:
    """In place of the one before; `more` goes into it as it is."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = {
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": description(),
        "fdatasyncMs": round(fdatasync, 3),
        "fdatasyncMeanwhileMs": meanwhile,
        **more,
        "figures": [figure.row() for figure in figures],
    }
    encoded = msgspec.json.format(msgspec.json.encode(record), indent=2)
    (RESULTS / f"{name}.json").write_bytes(encoded + b"\n")
