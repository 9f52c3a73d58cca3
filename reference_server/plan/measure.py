"""What a run of a part of the plan gives back: its figures, or the seed that broke it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


class Failed(Exception):
    """The criterion of a test does not hold. `seed` plays it again."""

    def __init__(self, seed: int, detail: str) -> None:
        super().__init__(f"seed {seed}: {detail}")
        self.seed, self.detail = seed, detail


@dataclass(frozen=True)
class Options:
    """How much of a test to run, and where. `server` is the address of a PostgreSQL server, None on SQLite."""

    count: int
    first: int = 0
    server: str | None = None

    @property
    def engine(self) -> str:
        return "postgresql" if self.server else "sqlite"

    @property
    def seeds(self) -> range:
        return range(self.first, self.first + self.count)


@dataclass
class Figures:
    """What was counted in a run."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.counts.items()) + f"; {self.seconds:.0f} s"


Run = Callable[[Options], Figures]


def timed(run: Run) -> Run:
    """The same run with its seconds."""

    def measured(options: Options) -> Figures:
        began = time.perf_counter()
        figures = run(options)
        figures.seconds = time.perf_counter() - began
        return figures

    return measured
