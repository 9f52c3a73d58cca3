"""What a measurement is, and how it is taken."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor time, of this process and of those below it, and by the clock.

    Looking at the processes below takes milliseconds, and stays outside of both.
    """
    below = -_below()
    cpu, wall = -time.process_time(), -time.perf_counter()
    work()
    cpu, wall = cpu + time.process_time(), wall + time.perf_counter()
    return cpu + below + _below(), wall


def _below() -> float:
    """Seconds of processor time of the processes below this one that still run (only on Linux)."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents.setdefault(int(words[1]), []).append(int(file.parent.name))
        spent[int(file.parent.name)] = int(words[11]) + int(words[12])
    below, ticks = list(parents.get(os.getpid(), ())), 0
    while below:
        one = below.pop()
        ticks += spent[one]
        below += parents.get(one, ())
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0
