"""Release schedules: which share of the price may have left custody once a share of the course is done.

A schedule is a step function, cumulative and never falling: `released(x)` is what the last step at or before x allows,
nothing before the first. 3:3:4 over three equal parts is (0, 30 %), (1/3, 60 %), (2/3, 100 %); a third that is no
whole number of millionths is rounded up, so that money never leaves early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

WHOLE = 1_000_000


class Step(NamedTuple):
    """Once `after_ppm` of the course is done, up to `released_ppm` of the price."""

    after_ppm: int
    released_ppm: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps in order; equal schedules have equal steps (`of` drops those that raise nothing)."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, *steps: tuple[int, int]) -> Schedule:
        kept: list[Step] = []
        for after, released in steps:
            if released > (kept[-1].released_ppm if kept else 0):
                kept.append(Step(after, released))
        return cls(tuple(kept))

    def released(self, done_ppm: int) -> int:
        """The share of the price that may have left custody when `done_ppm` of the course is done."""
        return max((step.released_ppm for step in self.steps if step.after_ppm <= done_ppm), default=0)

    def meet(self, other: Schedule, stricter: Literal["lower", "higher"]) -> Schedule:
        """Point by point the lower (or higher) of both."""
        choose = min if stricter == "lower" else max
        afters = sorted({step.after_ppm for step in (*self.steps, *other.steps)})
        return Schedule.of(*((after, choose(self.released(after), other.released(after))) for after in afters))

    def same(self, other: Schedule) -> bool:
        return self.steps == other.steps

    def to_json(self) -> dict[str, Any]:
        return {"steps": [step._asdict() for step in self.steps]}
