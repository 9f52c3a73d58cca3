"""Limits that stand in a table: the cell for the facts of a case, raised by a float, for each of so many units.

    parameter: price.standard_hour_fen_max     # class size x area; read at the facts named like the axes
    raised_by: price.up_max_ppm                # not regulated: by nothing
    for_each: {fact: minutes_centi, of: course.standard_hour_minutes}

Invariants
- Where a table makes no difference (`all`), nobody need tell the option; a fact that decides and was not told is named.
- A cell the text leaves open limits nothing.
- Fractions of a fen are cut off: what is compared is whole, so that nothing passes that the exact limit forbids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from offcampus_rules.facts import Fact
from offcampus_rules.tables import Row, Table
from offcampus_rules.units import FactValue

ALL = "all"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TableLimit:
    """A table's cell as a limit, read at the facts `axes`; `times` are hundredths of minutes, a unit `per` minutes."""

    table: Table
    axes: Mapping[str, Fact]
    raised_ppm: int = 0
    times: Fact | None = None
    per: int = 1

    def __call__(self, case: Any) -> int | None:
        """The limit in a case; None where the table says nothing or a fact it needs was not told."""
        row = self._row(case)
        if row is None or row.value is None:
            return None
        raised = row.value * (_MILLION + self.raised_ppm)
        if self.times is None:
            return raised // _MILLION
        amount = self.times.read(case)
        return None if not isinstance(amount, int) else raised * amount // (_MILLION * 100 * self.per)

    def untold(self, case: Any) -> str | None:
        """The fact nobody told that would decide the limit; None: all that matters is known."""
        if self.times is not None and self.times.read(case) is None:
            return self.times.name
        if self._row(case) is not None:
            return None
        return next((fact.name for fact in self.axes.values() if fact.read(case) is None), None)

    def _row(self, case: Any) -> Row | None:
        for point in product(*(_places(fact.read(case)) for fact in self.axes.values())):
            row = self.table.row(**dict(zip(self.axes, point, strict=True)))
            if row is not None:
                return row
        return None


def _places(given: FactValue) -> tuple[int | str, ...]:
    """Where to look on an axis: at what was told, and where the table makes no difference."""
    if isinstance(given, int):
        return (given,)
    return (given, ALL) if isinstance(given, str) else (ALL,)
