"""What a measurement is, and how it is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One figure, beside a baseline measured in the same run."""

    what: str
    figure: float
    unit: str
    baseline: str = ""
    baseline_figure: float | None = None

    @property
    def ratio(self) -> float:
        """The figure as a multiple of the baseline's."""
        return self.figure / self.baseline_figure if self.baseline_figure else 0.0


def per_second(count: int, work: Callable[[], object]) -> float:
    """How many a second, over one run of `work` that does `count` of them."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
