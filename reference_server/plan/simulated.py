"""T7: the simulator at the plan's count: `python -m simulation` with the plan's figures."""

from __future__ import annotations

from collections import Counter

from simulation.play import Stage
from simulation.script import generate

from plan.measure import Failed, Figures, Options

STEPS = 500


def run(options: Options) -> Figures:
    """`count` seeds. Raises Failed; `python -m simulation` shrinks what breaks."""
    figures: Counter[str] = Counter({"seeds": 0, "steps": 0, "crashes": 0, "broken": 0})
    stage = Stage(options.engine, options.server)
    try:
        for seed in options.seeds:
            played = stage.play(generate(seed, STEPS))
            if played.broken:
                raise Failed(seed, f"step {played.at}: {played.broken}: {played.detail}")
            figures.update({"seeds": 1, "steps": played.steps, "crashes": played.outcomes["crashed"]})
    finally:
        stage.close()
    return Figures(figures)
