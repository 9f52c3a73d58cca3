"""A history as data: steps that mean something wherever they stand, so that any part of a history is one too.

A step names what is tried and carries a number from which it draws its choices among what it finds; a step that finds
nothing to do does nothing. That is what makes shrinking simple.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

WEIGHTS = {
    "tick": 10, "buy": 4, "pay": 6, "cancel": 1, "arrive": 9, "stray": 2, "teach": 14, "reverse": 2, "confirm": 12,
    "dispute": 3, "rule": 2, "ask": 2, "approve": 4, "object": 1, "bank": 20, "statement": 5, "sweep": 5, "freeze": 1,
    "order": 2, "settle": 2, "retry": 6, "again": 3, "read": 2, "cheat": 2, "claim": 3,
}  # fmt: skip
FAULTS = {"crash": 4, "lost": 4, "later": 5, "disk": 2, "between": 4}
HOW_MANY_POINTS = 60


@dataclass(frozen=True)
class Step:
    """One step. `fault` is `kind` or `kind:point`; a point is a number or a name."""

    name: str
    draw: int
    fault: str = ""


@dataclass(frozen=True)
class Script:
    """A whole history. `broken` says which invariant it breaks, when it was kept for that."""

    seed: int
    steps: tuple[Step, ...]
    broken: str = ""

    def save(self, path: Path) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Script:
        """Read it again."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(raw["seed"], tuple(Step(**step) for step in raw["steps"]), raw["broken"])


def generate(seed: int, steps: int, faults: bool = True) -> Script:
    """The history of a seed; each leaves some kinds of steps and faults out, so that the others meet more often."""
    random = Random(seed)  # noqa: S311 - a history, no secret
    weights = {name: weight * random.choice((0, 1, 1, 1, 3)) for name, weight in WEIGHTS.items()}
    for name in ("tick", "buy", "pay", "arrive", "bank", "teach", "confirm"):  # without these nothing happens at all
        weights[name] = max(weights[name], WEIGHTS[name])
    chosen = {name: weight * random.choice((0, 1, 1, 2)) for name, weight in FAULTS.items()} if faults else {}
    names = random.choices(list(weights), list(weights.values()), k=steps)
    return Script(seed, tuple(Step(name, random.getrandbits(32), _fault(random, chosen)) for name in names))


def _fault(random: Random, chosen: dict[str, int]) -> str:
    roll = random.randrange(100)
    for name, weight in chosen.items():
        if roll < weight:
            return f"{name}:{random.randrange(HOW_MANY_POINTS)}" if name in ("crash", "disk", "between") else name
        roll -= weight
    return ""
