"""Tables: one whole number for each combination of bands and options (a price by class size and area).

Invariants
- A band holds whole numbers and both its ends belong to it; what a file writes as `above` or `below` is turned into
  that when it is read. No end: without limit on that side.
- At most one row answers (UNIQUE): `faults` finds overlaps and gaps, by every combination of bands and not by sample.
- A combination that no row names is not regulated; nothing is guessed from its neighbours.
- Two tables are compared as functions; how they cut the numbers into bands does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Literal

from offcampus_rules.errors import Position


@dataclass(frozen=True, slots=True)
class Band:
    """Whole numbers from `low` to `high`, both included; None: without end."""

    low: int | None
    high: int | None

    def __contains__(self, number: int) -> bool:
        return (self.low is None or self.low <= number) and (self.high is None or number <= self.high)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"
        return f"≤{self.high}" if self.high is not None else "*" if self.low is None else f"≥{self.low}"

    @property
    def sample(self) -> int:
        """A number of the band."""
        return self.low if self.low is not None else self.high if self.high is not None else 0


Way = Literal["lower", "higher"]
Coordinate = Band | str
Box = tuple[Coordinate, ...]
"""One coordinate for each axis of a table."""


@dataclass(frozen=True, slots=True)
class Row:
    """A value and where it holds. None: the text leaves this cell open."""

    at: Box
    value: int | None
    file: Path = field(compare=False)
    position: Position = field(compare=False)

    def __str__(self) -> str:
        return " ".join(str(coordinate) for coordinate in self.at)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows over `axes`; coordinates stand in the axes' order."""

    axes: tuple[str, ...]
    rows: tuple[Row, ...]

    def row(self, **coordinates: int | str) -> Row | None:
        """The row that answers, or None. Raises KeyError when the coordinates are not those of the axes."""
        if set(coordinates) != set(self.axes):
            raise KeyError(f"a table over {', '.join(self.axes)} is not read at {', '.join(sorted(coordinates))}")
        point = tuple(coordinates[axis] for axis in self.axes)
        return next((row for row in self.rows if _holds(row.at, point)), None)

    def meet(self, other: Table, stricter: Literal["lower", "higher"]) -> Table:
        """Cell by cell the stricter of both; a cell that one leaves open is the other's."""
        rows = []
        for box in _refined((*self.rows, *other.rows)):
            point = _sample(box)
            cells = [row for table in (self, other) if (row := _at(table.rows, point)) is not None]
            stated = [row for row in cells if row.value is not None]
            if cells:
                best = _strictest(stated, stricter) if stated else cells[0]
                rows.append(Row(box, best.value, best.file, best.position))
        return Table(self.axes, tuple(rows))

    def same(self, other: Table) -> bool:
        """Whether both say the same everywhere, however they are cut into bands."""
        if self.axes != other.axes:
            return False
        points = [_sample(box) for box in _refined((*self.rows, *other.rows))]
        return all(_value(self.rows, point) == _value(other.rows, point) for point in points)

    def allows_beside(self, other: Table, stricter: Way | None, least: Mapping[str, int]) -> bool:
        """Whether `other` is nowhere looser: where both state a value, from the least number that occurs on.

        What one leaves open the other one rules: a table that names some cells only is silent about the rest.
        `stricter` None: nothing else than the same is allowed.
        """
        for box in _refined((*self.rows, *other.rows), tuple(least.get(axis, 0) for axis in self.axes)):
            mine, theirs = (_value(table.rows, _sample(box)) for table in (self, other))
            if mine is None or theirs is None or mine == theirs:
                continue
            if stricter is None or (theirs < mine) != (stricter == "lower"):
                return False
        return True

    def to_json(self) -> dict[str, Any]:
        return {"rows": [_row_json(self.axes, row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Fault:
    """Two rows for one cell, or none: at which row it is told, and the cell."""

    code: Literal["R-OVERLAP", "R-GAP"]
    row: Row
    cell: str
    other: Row | None = None


def faults(table: Table, least: Mapping[str, int]) -> Iterator[Fault]:
    """Cells with two rows, and cells with none between the least number and no end; one fault a row."""
    told: set[tuple[str, Row]] = set()
    for options, rows in _by_options(table.rows).items():
        for box in _refined(rows, tuple(least.get(axis, 0) for axis in table.axes)):
            point = _sample(box)
            answering = [row for row in rows if _holds(row.at, point)]
            cell = " ".join(map(str, box)) if options or len(box) > 1 else str(box[0])
            if len(answering) == 1:
                continue
            row = answering[1] if answering else _nearest_above(rows, box)
            fault = Fault("R-OVERLAP" if answering else "R-GAP", row, cell, answering[0] if answering else None)
            if (fault.code, row) not in told:
                told.add((fault.code, row))
                yield fault


def _nearest_above(rows: tuple[Row, ...], box: Box) -> Row:
    """The row before which a reader would look for the missing one: the next above it, else the last."""
    return next((row for row in rows if _order(row.at) > _order(box)), rows[-1])


def _by_options(rows: Iterable[Row]) -> dict[tuple[str, ...], tuple[Row, ...]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(item for item in row.at if isinstance(item, str)), []).append(row)
    return {key: tuple(sorted(group, key=lambda row: _order(row.at))) for key, group in sorted(groups.items())}


def _order(box: Box) -> tuple[tuple[str, int], ...]:
    return tuple((item, 0) if isinstance(item, str) else ("", -1 if item.low is None else item.low) for item in box)


def _refined(rows: Iterable[Row], least: tuple[int, ...] | None = None) -> Iterator[Box]:
    """The coarsest boxes that no row's band cuts; with `least` also those that no row covers."""
    for group in _by_options(rows).values():
        yield from product(*(_pieces(group, index, least) for index in range(len(group[0].at))))


def _pieces(rows: tuple[Row, ...], index: int, least: tuple[int, ...] | None) -> tuple[Coordinate, ...]:
    first = rows[0].at[index]
    if isinstance(first, str):
        return (first,)
    bands = [row.at[index] for row in rows]
    starts = {band.low for band in bands if isinstance(band, Band) and band.low is not None}
    starts |= {band.high + 1 for band in bands if isinstance(band, Band) and band.high is not None}
    if least is not None:
        starts = {start for start in starts if start > least[index]} | {least[index]}
        cuts: list[int | None] = sorted(starts)  # type: ignore[assignment]  # a list of int is filled into one of int | None
    else:
        cuts = [None, *sorted(starts)]
    return tuple(Band(low, None if high is None else high - 1) for low, high in pairwise([*cuts, None]))


def _holds(box: Box, point: tuple[int | str, ...]) -> bool:
    for coordinate, given in zip(box, point, strict=True):
        if isinstance(coordinate, str) or isinstance(given, str):
            if coordinate != given:
                return False
        elif given not in coordinate:
            return False
    return True


def _sample(box: Box) -> tuple[int | str, ...]:
    return tuple(item if isinstance(item, str) else item.sample for item in box)


def _at(rows: Iterable[Row], point: tuple[int | str, ...]) -> Row | None:
    return next((row for row in rows if _holds(row.at, point)), None)


def _value(rows: Iterable[Row], point: tuple[int | str, ...]) -> int | None:
    row = _at(rows, point)
    return row.value if row else None


def _strictest(rows: list[Row], stricter: Literal["lower", "higher"]) -> Row:
    choose = min if stricter == "lower" else max
    return choose(rows, key=lambda row: row.value or 0)


def _row_json(axes: tuple[str, ...], row: Row) -> dict[str, Any]:
    places: dict[str, Any] = {}
    for axis, item in zip(axes, row.at, strict=True):
        if isinstance(item, str):
            places[axis] = item
        else:
            ends = {"at_least": item.low, "at_most": item.high}
            places[axis] = {name: end for name, end in ends.items() if end is not None}
    return {**places, "value": row.value}
