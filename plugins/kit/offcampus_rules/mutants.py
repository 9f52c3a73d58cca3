"""The smallest changes a parameter file could suffer by a slip of the hand: each must be noticed by a case.

Every value one unit up and down, every day one day earlier and later, every end of a band opened or closed, every
option taken out and one put in, every flag turned. A change stands in the file's content
(a table's in its rows), so that a mutant is read, checked and judged as a file would be.

Invariants
- What cannot change an answer has no mutants and is counted by its reason: nulls, notes that do not bind, what only a
  locality's value would meet.
- A day that ends one value and begins the next is one day: both move together, or the mutant would only be a gap.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from offcampus_rules import parameters
from offcampus_rules.errors import Position
from offcampus_rules.parameters import Entry, ParameterFile
from offcampus_rules.tables import Band, Row, Table
from offcampus_rules.yaml12 import Document, Path12

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_ENDS = {"open": "closed", "closed": "open"}
_ADDED = "something_else"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed file. `entry` counts the file's values; `what` names the changed place inside it."""

    parameter: str
    file: Path
    position: Position
    entry: int
    what: str
    was: Any
    becomes: Any
    changed: Document | ParameterFile


@dataclass(frozen=True, slots=True)
class Family:
    """All mutants of a file, and how many places have none, by reason."""

    mutants: tuple[Mutant, ...]
    excluded: Mapping[str, int]


def of_file(file: ParameterFile, unit: str, known_options: Iterable[str] = (), *, localities: bool = False) -> Family:
    """Every mutant of one file. `localities`: whether this plugin has values below this file's region."""
    values: list[dict[str, Any]] = file.document.content["values"]
    excluded: dict[str, int] = {}
    mutants: list[Mutant] = []
    for index, (item, entry) in enumerate(zip(values, file.entries, strict=True)):
        reason = _without_effect(entry)
        if reason is not None:
            excluded[reason] = excluded.get(reason, 0) + 1
            continue
        changed = _Changes(item.get("unit") or unit, tuple(known_options))
        if isinstance(entry.value, Table):
            mutants.extend(_table(file, index, entry, entry.value))
        for key in ("value", "range", "options"):
            if key not in item or (key == "value" and isinstance(entry.value, Table)):
                continue
            if key != "value" and not localities:
                excluded["only a locality meets it"] = excluded.get("only a locality meets it", 0) + 1
                continue
            for path, becomes in changed.within(item[key], (key,)):
                mutants.append(_mutant(file, index, {("values", index, *path): becomes}, path))
    mutants.extend(_moved_days(file, values))
    return Family(tuple(mutants), excluded)


def _without_effect(entry: Entry) -> str | None:
    if entry.value is None:
        return "null"
    return None if entry.binds else "note"


class _Changes:
    """What a written value could be mistaken for, by its shape and unit."""

    def __init__(self, unit: str, options: tuple[str, ...]) -> None:
        self._unit = unit
        self._options = options

    def within(self, value: Any, path: Path12) -> Iterator[tuple[Path12, Any]]:
        """Every change at or below `path`: where, and what stands there then."""
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self.within(item, (*path, key))
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            yield from self._list(value, path)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.within(item, (*path, index))
        else:
            yield from ((path, other) for other in self._scalar(value))

    def _list(self, value: list[str], path: Path12) -> Iterator[tuple[Path12, Any]]:
        if len(value) > 1:
            for index in range(len(value)):
                yield path, value[:index] + value[index + 1 :]
        if all(_DAY.match(item) for item in value):
            for index, item in enumerate(value):
                yield from (((*path, index), other) for other in _shifted(item) if other not in value)
        else:
            yield path, [*value, next((item for item in self._options if item not in value), _ADDED)]

    def _scalar(self, value: Any) -> Iterator[Any]:
        if isinstance(value, bool):
            yield not value
        elif isinstance(value, int):
            yield from (other for other in (value - 1, value + 1) if other >= 0)
        elif isinstance(value, str) and value in _ENDS:
            yield _ENDS[value]
        elif isinstance(value, str) and _DAY.match(value):
            yield from _shifted(value)
        elif isinstance(value, str) and (match := _TIME.match(value)):
            minutes = int(match[1]) * 60 + int(match[2])
            yield from (f"{m // 60:02d}:{m % 60:02d}" for m in (minutes - 1, minutes + 1) if 0 <= m <= 24 * 60)
        elif isinstance(value, str) and self._unit == "option":
            yield next((item for item in self._options if item != value), _ADDED)


def _shifted(day: str) -> tuple[str, str]:
    known = date.fromisoformat(day)
    return (known - timedelta(days=1)).isoformat(), (known + timedelta(days=1)).isoformat()


def _moved_days(file: ParameterFile, values: list[dict[str, Any]]) -> Iterator[Mutant]:
    """Every boundary a day earlier and a day later; ends and beginnings that meet move together."""
    ends = sorted(
        (item[key], index, key)
        for index, (item, entry) in enumerate(zip(values, file.entries, strict=True))
        if entry.binds
        for key in ("from", "until")
        if key in item
    )
    for day, at_day in groupby(ends, key=lambda end: end[0]):
        for group in _joined(file, [(index, key) for _, index, key in at_day]):
            stated = [(index, key) for index, key in group if file.entries[index].value is not None]
            if not stated:
                continue
            index, key = min(stated, key=lambda end: (end[1] != "from", end[0]))
            for becomes in _shifted(day):
                yield _mutant(file, index, {("values", at, name): becomes for at, name in group}, (key,))


def _joined(file: ParameterFile, ends: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    """Ends on one day that speak of a common kind of training, as groups."""
    groups: list[tuple[set[Any], list[tuple[int, str]]]] = []
    for end in ends:
        cells, members = set(file.entries[end[0]].cells), [end]
        apart = []
        for other_cells, other in groups:
            if other_cells & cells:
                cells |= other_cells
                members = other + members
            else:
                apart.append((other_cells, other))
        groups = [*apart, (cells, members)]
    return [members for _, members in groups]


def _mutant(file: ParameterFile, entry: int, changes: Mapping[Path12, Any], path: Path12) -> Mutant:
    content = copy.deepcopy(file.document.content)
    was: Any = None
    for place, becomes in changes.items():
        parent = content
        for step in place[:-1]:
            parent = parent[step]
        was = parent[place[-1]] if place == ("values", entry, *path) else was
        parent[place[-1]] = becomes
    what = "/".join(map(str, path))
    becomes = changes["values", entry, *path]
    position = file.document.position(("values", entry, *path))
    changed = Document(file.document.file, content, file.document.positions)
    return Mutant(file.id, file.document.file, position, entry, what, was, becomes, changed)


def _table(file: ParameterFile, index: int, entry: Entry, table: Table) -> Iterator[Mutant]:
    """Each cell one unit up and down, each boundary between two bands one number up and down."""

    def mutant(row: Row, what: str, was: int, becomes: int, rows: tuple[Row, ...]) -> Mutant:
        entries = list(file.entries)
        entries[index] = replace(entry, value=Table(table.axes, rows))
        changed = replace(file, entries=tuple(entries))
        return Mutant(file.id, row.file, row.position, index, what, was, becomes, changed)

    for row in table.rows:
        if row.value is None:
            continue
        for becomes in (row.value - 1, row.value + 1):
            rows = tuple(replace(item, value=becomes) if item is row else item for item in table.rows)
            yield mutant(row, f"cell {row}", row.value, becomes, rows)
    for axis, start, group in _boundaries(table):
        for becomes in (start - 1, start + 1):
            rows = tuple(_shifted_row(row, axis, start, becomes) if row in group else row for row in table.rows)
            yield mutant(group[0], f"band of {table.axes[axis]} in {group[0]}", start, becomes, rows)


def _boundaries(table: Table) -> Iterator[tuple[int, int, list[Row]]]:
    """Where one band ends and the next begins, per axis and group of named options: (axis, first number, rows)."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        groups.setdefault(tuple(item for item in row.at if isinstance(item, str)), []).append(row)
    for group in groups.values():
        for axis in range(len(table.axes)):
            bands = [(row, band) for row in group if isinstance(band := row.at[axis], Band)]
            ends = {band.high + 1 for _, band in bands if band.high is not None}
            for start in sorted(ends & {band.low for _, band in bands if band.low is not None}):
                yield axis, start, [row for row, band in bands if band.low == start or band.high == start - 1]


def _shifted_row(row: Row, axis: int, start: int, becomes: int) -> Row:
    band = row.at[axis]
    assert isinstance(band, Band)
    low = becomes if band.low == start else band.low
    high = becomes - 1 if band.high == start - 1 else band.high
    return replace(row, at=(*row.at[:axis], Band(low, high), *row.at[axis + 1 :]))


def read(mutant: Mutant, jurisdiction: str) -> ParameterFile | None:
    """The mutant as the kit reads it; None when the kit refuses to."""
    if isinstance(mutant.changed, ParameterFile):
        return mutant.changed
    file, problems = parameters.read(mutant.changed, jurisdiction)
    return None if problems else file
