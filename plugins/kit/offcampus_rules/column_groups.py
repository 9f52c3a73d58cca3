"""Puts rows into groups that meet the same rules: a group is a place, a period between two changes of the law for each
clock, and what conditions look at. Each group has one screen, that of its first row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from offcampus_rules.judge import lifting
from offcampus_rules.rules import Gate, ObligationRule, Rule, UndecidedRule
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.screening import Screen, screen

if TYPE_CHECKING:
    from offcampus_rules.batch import Columns, Ints

BLOCK = 1 << 15
"""Rows that are worked on at once: few enough to stay near the processor, many enough to pay for the calls."""

_DENSE = 1 << 22
"""How many keys are numbered by looking them up; more are sorted."""


def blocks(rows: int) -> list[slice]:
    """The rows in pieces."""
    return [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]


def speaking(ruleset: RuleSet, gate: Gate) -> list[Rule | ObligationRule | UndecidedRule]:
    """All that any plugin says at a gate."""
    known = ruleset.assembly
    every: tuple[Rule | ObligationRule | UndecidedRule, ...] = (*known.rules, *known.obligations, *known.undecided)
    return [rule for rule in every if gate in rule.gates]


def asked(ruleset: RuleSet, gate: Gate) -> list[str]:
    """The facts that conditions of rules and exceptions look at, beside what the place says already."""
    asking = (*speaking(ruleset, gate), *lifting(ruleset.assembly, gate))
    return sorted({item.fact for one in asking for item in one.conditions} - {"sector", "stage", "delivery"})


def groups(ruleset: RuleSet, cases: Columns) -> tuple[Ints, list[Screen]]:
    """Each row's group, and the groups' screens."""
    group = np.zeros(len(cases), np.int64)
    size = 1
    for run in _runs(key for key in _keys(ruleset, cases) if key.count > 1):
        if size > 1:
            kept, group = np.unique(group, return_inverse=True)
            size = len(kept)
        for block in blocks(len(cases)):
            part = group[block]
            for key in run:
                part *= key.count
                part += key.of(block)
        size *= math.prod(key.count for key in run)
    first = _numbered(group, size)
    found = []
    for row in first:
        case = cases.case(row)
        found.append(screen(ruleset.plan(cases.gate, case), case))
    return group, found


def _runs(keys: Iterable[_Key]) -> list[list[_Key]]:
    """Keys that are numbered together; groups so far are renumbered before the next run, so that numbers stay small."""
    found: list[list[_Key]] = []
    size = _DENSE + 1
    for key in keys:
        size *= key.count
        if size > _DENSE:
            found.append([])
            size = key.count
        found[-1].append(key)
    return found


class _Key:
    """One thing that tells groups apart: a number below `count` for each row; `table`: looked up by the value."""

    def __init__(self, values: Ints, count: int, table: Ints | None = None, low: int = 0) -> None:
        self._values, self.count, self._table, self._low = values, count, table, low

    def of(self, block: slice) -> Ints:
        values = self._values[block]
        return values - self._low if self._table is None else self._table[values - self._low]


def _keys(ruleset: RuleSet, cases: Columns) -> list[_Key]:
    found = [_Key(cases.scope, len(cases.scopes))]
    for clock in ruleset.clocks(cases.gate):
        found.append(_periods(ruleset.breaks(cases.gate, clock), cases.days[clock]))
    for name in asked(ruleset, cases.gate):
        column = cases.facts[name]
        if column.labels is not None:
            found.append(_Key(column.values, len(column.labels)))
        else:
            kept, codes = np.unique(column.values, return_inverse=True)
            found.append(_Key(codes, len(kept)))
    return found


def _periods(breaks: tuple[date, ...] | None, days: Ints) -> _Key:
    """The period between two dates on which anything changes; None: every day is a period of its own."""
    if not len(days):
        return _Key(days, 1)
    low, high = int(days.min()), int(days.max())
    if breaks is None:
        return _Key(days, high - low + 1, low=low)
    edges = np.array([day.toordinal() for day in breaks if low < day.toordinal() <= high], np.int64)
    if not len(edges):
        return _Key(days, 1)
    table = np.searchsorted(edges, np.arange(low, high + 1), side="right")
    return _Key(days, len(edges) + 1, table, low)


def _numbered(group: Ints, size: int) -> list[int]:
    """Number the groups in place, without holes, in the order in which they come; the first row of each."""
    numbers = np.full(size, -1, np.int64)
    first: list[int] = []
    for block in blocks(len(group)):
        part = group[block]
        found = numbers[part]
        fresh = np.flatnonzero(found < 0)
        if len(fresh):
            new, where = np.unique(part[fresh], return_index=True)
            numbers[new] = np.arange(len(first), len(first) + len(new))
            first += (block.start + fresh[where]).tolist()
            found = numbers[part]
        group[block] = found
    return first
