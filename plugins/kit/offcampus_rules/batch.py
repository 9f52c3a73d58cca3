"""Many cases of one gate at once, with the limits of each row's own place and date and a reason bit for every rule.

numpy holds the facts in columns; the rules are the same plans and screens that judge one case, so that both ways answer
alike (a test compares them case by case). Nothing is worded here: who wants a sentence asks for the one decision.

Invariants
- A row's group is its place, the periods its dates fall in and what conditions look at; a group has one screen.
- Days are counted by the calendar once for every start day that occurs, never by arithmetic of their own.
- Numbers stay exact integers: fen, hundredths of hours, days since year 1, microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offcampus_rules import column_groups, column_limits, column_reasons, tabled_columns
from offcampus_rules.column_limits import Limits, Starts
from offcampus_rules.column_reasons import Bit, Here, Masks, Options, Reasons, Untold
from offcampus_rules.context import Facts, GovernedBy, Scope
from offcampus_rules.decision import Value
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.rules import Gate, Rule
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.screening import Screen

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

Standing = list[tuple[Bit, Here]]
"""The rules that apply in some group, as they stand in each."""


@dataclass(frozen=True)
class Column:
    """One fact of every case. `labels`: the values are indices into them. `present` None: every case has the fact."""

    values: Ints
    present: Bools | None = None
    labels: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Columns:
    """The cases of one gate. `case` builds the context of one row (only ever asked for a few)."""

    gate: Gate
    scopes: tuple[Scope, ...]
    scope: Ints
    days: Mapping[GovernedBy, Ints]
    facts: Mapping[str, Column]
    case: Callable[[int], Facts]

    def __len__(self) -> int:
        return len(self.scope)


@dataclass(frozen=True)
class Verdict:
    """What the rules say of every row. Bit n of `broken` (and `unjudged`) is rule n of `rules`; 64 rules a word."""

    rules: tuple[str, ...]
    broken: tuple[Words, ...]
    unjudged: tuple[Words, ...]
    group: Ints
    values: tuple[tuple[Value, ...], ...] = field(repr=False)
    """The values that the rules of each group rest on."""

    @property
    def refused(self) -> Bools:
        """The rows that break any rule."""
        found: Bools = np.zeros(len(self.group), np.bool_)
        for word in self.broken:
            found |= word != 0
        return found

    def rules_of(self, row: int) -> frozenset[str]:
        """The rules that a row breaks."""
        return self._named(self.broken, row)

    def unjudged_of(self, row: int) -> frozenset[str]:
        """The rules that nobody could judge in a row, for want of a fact."""
        return self._named(self.unjudged, row)

    def _named(self, words: tuple[Words, ...], row: int) -> frozenset[str]:
        bits = [int(word[row]) for word in words]
        return frozenset(name for n, name in enumerate(self.rules) if bits[n // 64] >> n % 64 & 1)


def columns(gate: Gate, cases: Sequence[Facts], rulesets: Sequence[RuleSet]) -> Columns:
    """Turn cases into columns of every fact that any of the rule sets asks for."""
    scopes = {scope: n for n, scope in enumerate(dict.fromkeys(case.scope for case in cases))}
    clocks = dict.fromkeys(clock for ruleset in rulesets for clock in ruleset.clocks(gate))
    names = dict.fromkeys(
        name for ruleset in rulesets for rule in column_groups.speaking(ruleset, gate) for name in _named(ruleset, rule)
    )
    names |= dict.fromkeys(name for ruleset in rulesets for name in column_groups.asked(ruleset, gate))
    return Columns(
        gate=gate,
        scopes=tuple(scopes),
        scope=np.fromiter((scopes[case.scope] for case in cases), np.int64, len(cases)),
        days={
            clock: np.fromiter([case.date_for(clock).toordinal() for case in cases], np.int64, len(cases))
            for clock in clocks
        },
        facts={name: _column(VOCABULARY[gate][name], cases) for name in names},
        case=cases.__getitem__,
    )


def judge(ruleset: RuleSet, cases: Columns) -> Verdict:
    """Judge every row by the limits of its place and dates."""
    group, screens = column_groups.groups(ruleset, cases)
    names = [rule.id for rule in column_groups.speaking(ruleset, cases.gate) if isinstance(rule, Rule)]
    bits = column_reasons.bits(names)
    reasons = Reasons.none(len(cases), len(names))
    standing = _standing(bits, screens)
    steps = [*_limits(standing, cases), *_untold(standing, cases), Untold(_untold_by_group(bits, screens))]
    for block in column_groups.blocks(len(cases)):
        for step in steps:
            step.judge(group[block], block, reasons)
    for bit, items in standing:
        if any(check.missing for item in items if item is not None for check in item.checks):
            _tabled(bit, items, group, cases, reasons)
    return Verdict(tuple(names), reasons.broken, reasons.unjudged, group, tuple(one.rests_on for one in screens))


def _standing(bits: Mapping[str, Bit], screens: Sequence[Screen]) -> Standing:
    by_rule = [{item.rule.id: item for item in one.rules} for one in screens]
    every = [(bit, [known.get(name) for known in by_rule]) for name, bit in bits.items()]
    return [(bit, items) for bit, items in every if any(items)]


def _limits(standing: Standing, cases: Columns) -> Iterator[Limits | Options]:
    """What rows are held against, fact by fact."""
    starts = cache(lambda name: Starts(cases.facts[name]))
    by_fact: dict[str, Standing] = {}
    for bit, items in standing:
        by_fact.setdefault(column_limits.some(items).rule.fact, []).append((bit, items))
    for fact, rules in by_fact.items():
        ordered = [rule for rule in rules if column_limits.some(rule[1]).rule.must_be in column_limits.WAYS]
        others = [rule for rule in rules if column_limits.some(rule[1]).rule.must_be not in column_limits.WAYS]
        if others:
            yield Options(cases.facts[fact], others)
        if ordered:
            yield from column_limits.limits(ordered, cases, starts)


def _untold(standing: Standing, cases: Columns) -> Iterator[Untold]:
    """The facts that rules look at, or that are their limits, where nobody told them."""
    for bit, items in standing:
        item = column_limits.some(items)
        here = Masks(len(items), [(bit, [item is not None for item in items])])
        present = cases.facts[item.rule.fact].present
        if item.fact.may_be_untold and present is not None:
            yield Untold(here, present)
        if any(check.untold for item in items if item is not None for check in item.checks):
            limit = cases.facts[item.rule.limit_fact or ""].present
            if limit is not None:
                yield Untold(here, limit, present)


def _untold_by_group(bits: Mapping[str, Bit], screens: Sequence[Screen]) -> Masks:
    """The rules of which nobody told whether they apply, which is alike in a group."""
    return Masks(len(screens), [(bit, [name in one.untold for one in screens]) for name, bit in bits.items()])


def _tabled(bit: Bit, items: Here, group: Ints, cases: Columns, reasons: Reasons) -> None:
    """A rule whose limit stands in a table, in rows where the fact it looks at is there."""
    rule = column_limits.some(items).rule
    present = cases.facts[rule.fact].present
    for rows, words in zip(tabled_columns.beyond(rule, items, group, cases.facts), reasons, strict=True):
        where = rows if present is None else rows & present
        np.bitwise_or(words[bit.word], bit.mask, out=words[bit.word], where=where)


def _named(ruleset: RuleSet, rule: Any) -> list[str]:
    names = [getattr(rule, name, None) for name in ("fact", "measured_from", "limit_fact")]
    if isinstance(rule, Rule):
        names += [axis.name for axis in ruleset.parameters[rule.parameter].axes]
        names += [rule.for_each.fact] if rule.for_each is not None else []
    return [name for name in names if name is not None]


def _column(fact: Fact, cases: Sequence[Facts]) -> Column:
    given: list[Any] = list(map(fact.read, cases))
    present = None
    if None in given:
        present = np.fromiter((item is not None for item in given), np.bool_, len(given))
    if fact.unit in ("option", "flag"):
        codes = {item: n for n, item in enumerate(dict.fromkeys(given))}
        return Column(np.fromiter(map(codes.__getitem__, given), np.int64, len(given)), present, tuple(codes))
    number = _NUMBERS.get(fact.unit, _itself)
    numbers = [0 if item is None else number(item) for item in given] if present is not None else map(number, given)
    return Column(
        np.fromiter(given if number is _itself and present is None else numbers, np.int64, len(given)), present
    )


def _itself(given: int) -> int:
    return given


_NUMBERS: Mapping[str, Callable[[Any], int]] = {"date": date.toordinal, "instant": column_limits.microseconds}
