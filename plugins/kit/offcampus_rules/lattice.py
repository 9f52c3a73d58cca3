"""What "stricter" means for every kind of value: a meet whose top is None (not regulated).

Commutative, associative and idempotent, and never looser than either side (tests/test_lattice.py), for each direction:
- `lower`, `higher`      numbers, times and flags by what they come to; tables cell by cell; schedules point by point;
- `subset`, `superset`   lists of options and calendars: what both permit, what either forbids;
- `later`                ordered options: the one that stands later in the definition's `order`;
- `exact`                no order: the level above stays.

Durations are not met here: which of 10 working days and 15 days ends first differs from day to day (`effective`).
"""

from __future__ import annotations

from typing import Literal

from offcampus_rules import units
from offcampus_rules.daysets import DaySet
from offcampus_rules.decision import Raw
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table

Stricter = Literal["lower", "higher", "subset", "superset", "later", "exact"]

DIRECTIONS: dict[str, frozenset[str]] = {
    "option": frozenset({"exact", "later"}),
    "options": frozenset({"subset", "superset", "exact"}),
    "dates": frozenset({"subset", "superset", "exact"}),
}
"""The directions a unit has, where these are not lower, higher and exact."""
ORDERED: frozenset[str] = frozenset({"lower", "higher", "exact"})


def meet(stricter: Stricter, order: tuple[str, ...], unit: str, above: Raw, below: Raw) -> Raw:
    """The stricter of two values of one unit; of equals, and where nothing is stricter, the first."""
    if below is None:
        return above
    if above is None:
        return below
    if stricter == "exact" or same(above, below):
        return above
    if isinstance(above, tuple) and isinstance(below, tuple):
        left, right = set(above), set(below)
        return tuple(sorted(left & right if stricter == "subset" else left | right))
    if isinstance(above, DaySet) and isinstance(below, DaySet):
        return above.meet(below, "superset" if stricter == "superset" else "subset")
    direction: Literal["lower", "higher"] = "lower" if stricter == "lower" else "higher"
    if isinstance(above, Table) and isinstance(below, Table):
        return above.meet(below, direction)
    if isinstance(above, Schedule) and isinstance(below, Schedule):
        return above.meet(below, direction)
    if stricter == "later":
        return max(above, below, key=lambda option: order.index(str(option)))
    return below if (rank(below, unit) < rank(above, unit)) == (direction == "lower") else above


def same(one: Raw, other: Raw) -> bool:
    """Whether two values demand the same: lists are sets, tables are functions."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    if isinstance(one, Table) and isinstance(other, Table):
        return one.same(other)
    return one == other


def rank(value: Raw, unit: str) -> int:
    """A scalar as a number that orders values of its unit."""
    limit = units.limit(value, unit)
    assert isinstance(limit, int), f"{value!r} has no rank"
    return limit
