"""Reasons as bits, one a rule: where they are kept, and those that are looked up whole (options, facts nobody told)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from offcampus_rules.plans import CompiledRule

if TYPE_CHECKING:
    from offcampus_rules.batch import Bools, Column, Ints, Words

Here = Sequence[CompiledRule | None]
"""A rule as it stands in each group; None: it does not apply there."""


class Bit(NamedTuple):
    """Which bit of which word stands for a rule."""

    word: int
    mask: np.uint64


class Reasons(NamedTuple):
    """The bits of every row: the rules it breaks, and those that nobody could judge. 64 rules a word."""

    broken: tuple[Words, ...]
    unjudged: tuple[Words, ...]

    @classmethod
    def none(cls, rows: int, rules: int) -> Reasons:
        words = max(1, -(-rules // 64))
        return cls(*(tuple(np.zeros(rows, np.uint64) for _ in range(words)) for _ in range(2)))


def bits(rules: Iterable[str]) -> dict[str, Bit]:
    """The bit of each rule."""
    return {name: Bit(number // 64, np.uint64(1 << number % 64)) for number, name in enumerate(rules)}


class Masks:
    """Bits that are the same for all rows of one group (or group and option): one table a word."""

    def __init__(self, size: int, speaking: Iterable[tuple[Bit, Any]]) -> None:
        self._tables: dict[int, Words] = {}
        for bit, where in speaking:
            if np.any(where):
                table = self._tables.setdefault(bit.word, np.zeros(size, np.uint64))
                np.bitwise_or(table, bit.mask, out=table, where=np.asarray(where, np.bool_))
        for word, table in self._tables.items():
            if (table == table[0]).all():
                self._tables[word] = table[:1]

    def __bool__(self) -> bool:
        return bool(self._tables)

    def add(self, words: Sequence[Words], block: slice, index: Ints, where: Bools | None = None) -> None:
        """Set the bits of a block's rows, looked up by `index`; `where`: of these rows only."""
        for word, table in self._tables.items():
            found: Any = table[0] if len(table) == 1 else table[index]
            if where is not None:
                found = np.where(where, found, np.uint64(0))
            part = words[word][block]
            np.bitwise_or(part, found, out=part)


class Options:
    """The rules about a fact that is a word or a flag: each option is looked up."""

    def __init__(self, column: Column, rules: Sequence[tuple[Bit, Here]]) -> None:
        known = (column.values, column.labels) if column.labels is not None else _days(column)
        self._values: Ints = known[0]
        self._labels: tuple[Any, ...] = known[1]
        groups = len(rules[0][1])
        outside = [(bit, np.array([self._outside(item) for item in items]).ravel()) for bit, items in rules]
        self._masks = Masks(groups * len(self._labels), outside)

    def _outside(self, item: CompiledRule | None) -> list[bool]:
        checks = item.checks if item is not None else ()
        return [
            label is not None and not all(item is not None and item.passes(label, check.constant) for check in checks)
            for label in self._labels
        ]

    def judge(self, group: Ints, block: slice, reasons: Reasons) -> None:
        """Set the bits of the rules that a block's rows break; `group` is the block's."""
        if self._masks:
            self._masks.add(reasons.broken, block, group * len(self._labels) + self._values[block])


def _days(column: Column) -> tuple[Ints, tuple[date | None, ...]]:
    """The days that occur in a column, and which of them each row has; None where there is none."""
    there = column.values if column.present is None else np.where(column.present, column.values, 0)
    days, which = np.unique(there, return_inverse=True)
    return which, tuple(date.fromordinal(day) if day else None for day in days.tolist())


class Untold:
    """Rules that nobody can judge where a fact is absent (`absent`) though the one they look at is there (`needed`)."""

    def __init__(self, masks: Masks, absent: Bools | None = None, needed: Bools | None = None) -> None:
        self._masks, self._absent, self._needed = masks, absent, needed

    def judge(self, group: Ints, block: slice, reasons: Reasons) -> None:
        """Set the bits of the rules that nobody can judge in a block's rows."""
        where: Bools | None = None
        if self._absent is not None:
            where = ~self._absent[block]
            if self._needed is not None:
                where &= self._needed[block]
            if not where.any():
                return
            where = None if where.all() else where
        self._masks.add(reasons.unjudged, block, group, where)
