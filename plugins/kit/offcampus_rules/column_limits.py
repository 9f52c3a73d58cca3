"""The limits of one fact over many rows: held against the strictest first, and rule by rule where that is not passed.

It is what `ladders` does for one case. A limit is one number for each group, or a day for each start day that occurs
(counted by the calendar, never by arithmetic of its own), or another fact. The reasons of a row are bits, one a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from offcampus_rules.column_groups import blocks
from offcampus_rules.column_reasons import Bit, Here, Reasons
from offcampus_rules.plans import Check, CompiledRule, Span

if TYPE_CHECKING:
    from offcampus_rules.batch import Bools, Column, Columns, Ints

T = TypeVar("T")
_FAR = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Way(NamedTuple):
    """A direction: what is beyond a limit, which of limits is the strictest, and a limit that nothing is beyond."""

    beyond: Callable[[Any, Any], Any]
    stricter: Callable[[Ints, Ints], Ints]
    strictest: Callable[[Iterable[int]], int]
    loosest: int


WAYS = {
    "at_most": Way(np.greater, np.minimum, lambda limits: min(limits, default=_FAR), _FAR),
    "at_least": Way(np.less, np.maximum, lambda limits: max(limits, default=-_FAR), -_FAR),
}


class Limit(Protocol):
    """A rule's limits, in rows that are told by where they are looked up."""

    def at(self, *where: Ints) -> Any: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of one kind that one fact is held against in one direction: the strictest of all, and each rule's."""

    column: Column
    way: Way
    where: Callable[[Ints, slice], tuple[Ints, ...]]
    """By what the limits of a block's rows are looked up: their groups, start days, other facts."""
    strictest: Limit
    rules: tuple[tuple[Bit, Limit], ...]
    present: Bools | None
    """Where the fact that the limits are, or are counted from, is there; None: everywhere."""

    def judge(self, group: Ints, block: slice, reasons: Reasons) -> None:
        """Set the bits of the rules that a block's rows break; `group` is the block's."""
        values, where = self.column.values[block], self.where(group, block)
        bad = self.way.beyond(values, self.strictest.at(*where))
        for present in (self.column.present, self.present):
            if present is not None:
                bad &= present[block]
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        values, where = values[rows], tuple([one[rows] for one in where])
        found = {bit.word: np.zeros(len(rows), np.uint64) for bit, _ in self.rules}
        for bit, limit in self.rules:
            word = found[bit.word]
            np.bitwise_or(word, bit.mask, out=word, where=self.way.beyond(values, limit.at(*where)))
        for number, word in found.items():
            reasons.broken[number][block][rows] |= word


class Standing:
    """Limits that are numbers, one for each group."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers: Any = numbers[0] if len(set(numbers)) == 1 else np.array(numbers, np.int64)

    @staticmethod
    def where(group: Ints, block: slice) -> tuple[Ints]:
        return (group,)

    def at(self, *where: Ints) -> Any:
        return self.numbers if isinstance(self.numbers, int) else self.numbers[where[0]]


class Counted:
    """Limits that are days counted from a start day, by the spans of each group."""

    def __init__(self, starts: Starts, way: Way, spans: Sequence[frozenset[Span]]) -> None:
        kinds = list(dict.fromkeys(spans))
        tables = [starts.table(kind, way) for kind in kinds]
        self._alike = len(kinds) == 1
        self._ends = tables[0] if self._alike else np.stack(tables)
        self._kind = np.array([kinds.index(kind) for kind in spans], np.int64)

    def at(self, *where: Ints) -> Any:
        group, offsets = where
        return self._ends[offsets] if self._alike else self._ends[self._kind[group], offsets]


class Other:
    """Limits that are another fact of the row, in the groups where the rule speaks."""

    def __init__(self, way: Way, speaks: Sequence[bool]) -> None:
        self._loosest = way.loosest
        self._speaks = None if all(speaks) else np.array(speaks)

    def at(self, *where: Ints) -> Any:
        group, values = where
        return values if self._speaks is None else np.where(self._speaks[group], values, self._loosest)


class Starts:
    """The start days that occur in a column, and where spans lead from each: counted once, whoever asks."""

    def __init__(self, column: Column) -> None:
        self.column = column
        there = column.values if column.present is None else column.values[column.present]
        self._low, high = (int(there.min()), int(there.max())) if len(there) else (1, 1)
        seen = np.zeros(high - self._low + 1, np.bool_)
        for block in blocks(len(there)):
            seen[there[block] - self._low] = True
        self._seen, self._size = np.flatnonzero(seen), len(seen)
        self._days = [date.fromordinal(self._low + offset) for offset in self._seen.tolist()]
        self._ends: dict[Span, Ints] = {}

    def where(self, group: Ints, block: slice) -> tuple[Ints, Ints]:
        """Where to look up the rows of a block; whoever asks masks a row without start."""
        offsets = self.column.values[block] - self._low
        return group, offsets if self.column.present is None else np.maximum(offsets, 0)

    def table(self, spans: Iterable[Span], way: Way) -> Ints:
        """The strictest day that any of the spans leads to, by start day."""
        table = np.full(self._size, way.loosest, np.int64)
        for span in spans:
            table[self._seen] = way.stricter(table[self._seen], self._counted(span))
        return table

    def _counted(self, span: Span) -> Ints:
        if span not in self._ends:
            self._ends[span] = np.array([span.day(day).toordinal() for day in self._days], np.int64)
        return self._ends[span]


def limits(rules: Sequence[tuple[Bit, Here]], cases: Columns, starts: Callable[[str], Starts]) -> Iterator[Limits]:
    """The limits of rules that look at one fact; `rules` as they stand in each group."""
    for name, way in WAYS.items():
        here = [(bit, items) for bit, items in rules if some(items).rule.must_be == name]
        if here:
            yield from _in_one_way(here, way, cases, starts)


def _in_one_way(
    rules: Sequence[tuple[Bit, Here]], way: Way, cases: Columns, starts: Callable[[str], Starts]
) -> Iterator[Limits]:
    column = cases.facts[some(rules[0][1]).rule.fact]

    def fixed(items: Here) -> list[int]:
        return [way.strictest(number(check.constant) for check in _checks(item) if check.is_fixed) for item in items]

    def together(
        where: Callable[[Ints, slice], tuple[Ints, ...]],
        present: Bools | None,
        said: Iterable[tuple[Bit, Sequence[T]]],
        silent: T,
        joined: Callable[[Iterable[T]], T],
        made: Callable[[Sequence[T]], Limit],
    ) -> Iterator[Limits]:
        """Limits of one kind, from what each rule says in each group; `silent` where it says nothing."""
        speaking = [(bit, groups) for bit, groups in said if any(one != silent for one in groups)]
        if speaking:
            every = [joined(ones) for ones in zip(*(groups for _, groups in speaking), strict=True)]
            each = tuple((bit, made(groups)) for bit, groups in speaking)
            yield Limits(column, way, where, made(every), each, present)

    numbers = [(bit, fixed(items)) for bit, items in rules]
    yield from together(Standing.where, None, numbers, way.loosest, way.strictest, Standing)
    for start in sorted({check.span.start for _, items in rules for check in _all_checks(items) if check.span}):
        counted = starts(start)
        spans = [(bit, [_spans(item, start) for item in items]) for bit, items in rules]
        make = partial(Counted, counted, way)
        yield from together(counted.where, counted.column.present, spans, frozenset(), _union, make)
    for name in sorted({name for _, items in rules if (name := some(items).rule.limit_fact) is not None}):
        other = cases.facts[name]
        speaks = [
            (bit, [item is not None for item in items]) for bit, items in rules if some(items).rule.limit_fact == name
        ]
        yield from together(_values_of(other), other.present, speaks, False, any, partial(Other, way))


def _values_of(column: Column) -> Callable[[Ints, slice], tuple[Ints, Ints]]:
    return lambda group, block: (group, column.values[block])


def some(items: Here) -> CompiledRule:
    """A rule as it stands in some group; it is the same rule in each."""
    return next(item for item in items if item is not None)


def number(limit: Any) -> int:
    """A limit in the numbers of a column."""
    if isinstance(limit, datetime):
        return microseconds(limit)
    return limit.toordinal() if isinstance(limit, date) else int(limit)


def microseconds(instant: datetime) -> int:
    """An instant in the numbers of a column."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _checks(item: CompiledRule | None) -> tuple[Check, ...]:
    return item.checks if item is not None else ()


def _all_checks(items: Here) -> Iterator[Check]:
    return (check for item in items for check in _checks(item))


def _spans(item: CompiledRule | None, start: str) -> frozenset[Span]:
    return frozenset(check.span for check in _checks(item) if check.span is not None and check.span.start == start)


def _union(spans: Iterable[frozenset[Span]]) -> frozenset[Span]:
    return frozenset[Span]().union(*spans)
