"""`python -m simulation.hunt`: plant each bug, play until something breaks, and write down what found it and when."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from offcampus_server.kernel.observe import configure_logs

from simulation.planted import BUGS, HUNTED, Bug, page
from simulation.play import Played, Stage
from simulation.script import generate

SEEDS, STEPS, EVERY = 30, 400, 25
PAGE = Path(__file__).parents[2] / "docs" / "planted-bugs.md"


@dataclass(frozen=True)
class Caught:
    """A bug that was found."""

    played: Played
    steps: int
    """Of all histories that were played for it."""


def hunt(stage: Stage, bug: Bug, seeds: int = SEEDS, steps: int = STEPS) -> Caught | None:
    """The first history that breaks with the bug planted."""
    before = 0
    with bug.planted():
        for seed in range(1, seeds + 1):
            found = stage.play(generate(seed, steps), every=EVERY)
            before += found.at + 1
            if found.broken:
                return Caught(found, before)
    return None


def main(names: list[str]) -> int:
    """Hunt these bugs, or all of them; the page keeps what was found of the others."""
    configure_logs("error")
    found = json.loads(HUNTED.read_text(encoding="utf-8")) if HUNTED.exists() else {}
    stage, missed = Stage("sqlite"), 0
    for name in names or list(BUGS):
        caught = hunt(stage, BUGS[name])
        right = caught is not None and caught.played.broken.startswith(BUGS[name].finds)
        missed += not right
        if caught is not None and right:
            found[name] = (caught.played.broken.replace("|", "/"), caught.played.script.seed, caught.steps)
        print(name, found.get(name) if right else f"MISSED: {caught.played.broken if caught else 'nothing breaks'}")
        kept = {each: found[each] for each in BUGS if each in found}
        HUNTED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    stage.close()
    PAGE.write_text(page(), encoding="utf-8")
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
