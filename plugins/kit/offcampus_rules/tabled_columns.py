"""Limits that stand in a table, for many cases at once: what `tabled` answers for one, row by row the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from offcampus_rules.plans import CompiledRule
from offcampus_rules.rules import Rule
from offcampus_rules.tabled import ALL, TableLimit
from offcampus_rules.tables import Band, Row

if TYPE_CHECKING:
    from offcampus_rules.batch import Bools, Column, Ints


def beyond(
    rule: Rule, items: Sequence[CompiledRule | None], group: Ints, facts: Mapping[str, Column]
) -> tuple[Bools, Bools]:
    """The rows beyond the limit of any level, and those where nobody told a fact that would decide one."""
    bad, missing = np.zeros(len(group), np.bool_), np.zeros(len(group), np.bool_)
    for limit, groups in _limits(items):
        rows = np.flatnonzero(np.isin(group, groups))
        allowed, known, open_ = _allowed(limit, facts, rows)
        given = facts[rule.fact].values[rows]
        bad[rows] |= known & (given > allowed if rule.must_be == "at_most" else given < allowed)
        missing[rows] |= open_
    return bad, missing


def _limits(items: Sequence[CompiledRule | None]) -> list[tuple[TableLimit, list[int]]]:
    """Each limit with the groups it holds for; plans of one place and time share the table, not the limit."""
    found: dict[tuple[int, int, int], tuple[TableLimit, list[int]]] = {}
    for number, item in enumerate(items):
        for check in item.checks if item is not None else ():
            if isinstance(check.other, TableLimit):
                key = id(check.other.table), check.other.raised_ppm, check.other.per
                found.setdefault(key, (check.other, []))[1].append(number)
    return list(found.values())


def _allowed(limit: TableLimit, facts: Mapping[str, Column], rows: Ints) -> tuple[Ints, Bools, Bools]:
    """The limit of each row, whether there is one, and whether a fact that nobody told would decide it."""
    cell, answered = np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.bool_)
    columns = [facts[limit.axes[name].name] for name in limit.table.axes]
    for row in sorted(limit.table.rows, key=_makes_no_difference, reverse=True):
        here = np.ones(len(rows), np.bool_)
        for coordinate, column in zip(row.at, columns, strict=True):
            here &= _holds(coordinate, column, rows)
        cell[here] = -1 if row.value is None else row.value
        answered |= here
    untold = ~answered & ~np.logical_and.reduce([_told(column, rows) for column in columns])
    raised = cell * (1_000_000 + limit.raised_ppm)
    if limit.times is None:
        return raised // 1_000_000, cell >= 0, untold
    times = facts[limit.times.name]
    told = _told(times, rows)
    return raised * times.values[rows] // (100_000_000 * limit.per), (cell >= 0) & told, untold | ~told


def _makes_no_difference(row: Row) -> int:
    return row.at.count(ALL)


def _holds(coordinate: Band | str, column: Column, rows: Ints) -> Bools:
    values = column.values[rows]
    if isinstance(coordinate, Band):
        here: Any = _told(column, rows)
        here &= True if coordinate.low is None else values >= coordinate.low
        here &= True if coordinate.high is None else values <= coordinate.high
        return here  # type: ignore[no-any-return]
    if coordinate == ALL:
        return np.ones(len(rows), np.bool_)
    labels = column.labels or ()
    return values == labels.index(coordinate) if coordinate in labels else np.zeros(len(rows), np.bool_)


def _told(column: Column, rows: Ints) -> Bools:
    return np.ones(len(rows), np.bool_) if column.present is None else column.present[rows].copy()
