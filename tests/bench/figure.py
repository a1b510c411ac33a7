"""One figure: five samples, a target, and the reference that it is to be read against."""

import statistics
from collections.abc import Sequence

from msgspec import Struct


class Figure(Struct, frozen=True, kw_only=True):
    """`samples` are one value per repetition, in `unit`. `at_least` or `at_most` is the target, if there is one.
    `reference` was measured in the same run and says what this machine can do at all."""

    name: str
    unit: str
    samples: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None
    reference: str = ""
    reference_samples: Sequence[float] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """(max − min) / median: how far one run can be trusted."""
        return (max(self.samples) - min(self.samples)) / self.median if self.median else 0.0

    @property
    def met(self) -> bool:
        if self.at_least is not None and self.median < self.at_least:
            return False
        return self.at_most is None or self.median <= self.at_most

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"≥ {number(self.at_least)}"
        return f"≤ {number(self.at_most)}" if self.at_most is not None else "–"

    def row(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": round(self.median, 4),
            "spread": round(self.spread, 3),
            "samples": [round(sample, 4) for sample in self.samples],
            "target": self.target,
            "met": self.met,
            "reference": self.reference,
            "referenceMedian": round(statistics.median(self.reference_samples), 4) if self.reference_samples else None,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(len(ordered) * share + 0.999999) - 1))]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """Fixed-width, for a terminal and a closing line."""
    rows = [("figure", "median", "spread", "target", "", "reference in the same run")]
    for figure in figures:
        reference = ""
        if figure.reference_samples:
            reference = f"{figure.reference} {number(statistics.median(figure.reference_samples))}"
        rows.append(
            (
                figure.name,
                f"{number(figure.median)} {figure.unit}",
                f"{figure.spread:.0%}",
                figure.target,
                "ok" if figure.met else "MISS",
                reference or figure.reference,
            )
        )
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Each column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
