"""What was played, a line of JSON a history, in a file that a long run goes on from; and the table that it makes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation.play import Played


@dataclass(frozen=True)
class Record:
    """The file, and what is played now."""

    path: Path
    engine: str
    steps: int

    def done(self) -> set[int]:
        """The seeds that were played like this before, and broke nothing."""
        mine = {"engine": self.engine, "of": self.steps, "broken": ""}
        return {line["seed"] for line in read([self.path]) if mine.items() <= line.items()}

    def note(self, played: Played) -> None:
        """Append what came of a history."""
        line = {
            "engine": self.engine, "seed": played.script.seed, "of": self.steps, "steps": played.steps,
            "seconds": round(played.seconds, 3), "cpu_seconds": round(played.cpu_seconds, 3),
            "transfers": played.transfers, "outcomes": dict(played.outcomes), "points": len(played.points),
            "broken": played.broken,
        }  # fmt: skip
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Every line of the files that exist."""
    return [json.loads(line) for path in paths if path.exists() for line in path.read_text("utf-8").splitlines()]


def summary(lines: Iterable[dict[str, Any]]) -> str:
    """A table by engine."""
    rows = [
        "| engine | seeds | steps | transfers | crashes | refused | CPU | broken |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_engine: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_engine.setdefault(line["engine"], []).append(line)
    for engine, found in sorted(by_engine.items()):
        outcomes: Counter[str] = sum((Counter(line["outcomes"]) for line in found), Counter())
        refused = sum(count for name, count in outcomes.items() if "." in name)
        rows.append(
            f"| {engine} | {len(found):,} | {sum(line['steps'] for line in found):,} "
            f"| {sum(line['transfers'] for line in found):,} | {outcomes['crashed']:,} | {refused:,} "
            f"| {sum(line['cpu_seconds'] for line in found) / 60:.0f} min "
            f"| {sum(bool(line['broken']) for line in found)} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(summary(read(map(Path, sys.argv[1:]))))
