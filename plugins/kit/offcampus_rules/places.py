"""Where and when anything can differ: every region that rules, cell of training, and day on which a value turns.

Values are piecewise constant, so that what holds at these places and days holds everywhere and always.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import product
from typing import Any

from offcampus_rules.context import DELIVERIES, SECTORS, STAGES, Scope
from offcampus_rules.parameters import Cell, Entry, chain
from offcampus_rules.rules import Rule

AXES = ("sector", "stage", "delivery")
CELLS: tuple[Cell, ...] = tuple(product(SECTORS, STAGES, DELIVERIES))


def places(entries: Sequence[Entry], rules: Sequence[Rule] = ()) -> Iterator[tuple[Scope, date]]:
    """Every place and day at which other entries are in force or other conditions hold; what is alike only once."""
    binding = [entry for entry in entries if entry.binds]
    static = [one for rule in rules for one in rule.conditions if one.fact in AXES and one.values is not None]
    asked = tuple(rule.fact in AXES for rule in rules)
    for region in sorted({entry.region for entry in binding}):
        here = [entry for entry in binding if entry.region in chain(region)]
        for day in sorted({day for entry in here for day in (entry.since, entry.until) if day is not None}):
            standing = [(index, entry.cells) for index, entry in enumerate(here) if entry.in_force(day)]
            seen: set[tuple[Any, ...]] = set()
            for cell in CELLS:
                speaking = tuple(index for index, cells in standing if cell in cells)
                holding = tuple(cell[AXES.index(one.fact)] in (one.values or ()) for one in static)
                key = (speaking, holding, cell if any(asked) else None)
                if speaking and key not in seen:
                    seen.add(key)
                    yield Scope(region, *cell), day  # type: ignore[arg-type]  # cells come from Scope's own lists
