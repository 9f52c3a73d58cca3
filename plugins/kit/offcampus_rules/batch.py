"""Many cases of one gate at once, with the limits of each row's own place and date and a reason bit for every rule.

numpy holds the facts in columns; the rules are the same plans and screens that judge one case, so that both ways answer
alike (a test compares them case by case). Nothing is worded here: who wants a sentence asks for the one decision.

Invariants
- A row's group is its place, the periods its dates fall in and what conditions look at; a group has one screen.
- Days are counted by the calendar once for every start day that occurs, never by arithmetic of their own.
- Numbers stay exact integers: fen, hundredths of hours, days since year 1, microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offcampus_rules import tabled_columns
from offcampus_rules.context import Facts, GovernedBy, Scope
from offcampus_rules.decision import Value
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.judge import lifting
from offcampus_rules.plans import CompiledRule, Span
from offcampus_rules.rules import Gate, ObligationRule, Rule, UndecidedRule
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.screening import Screen, screen

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

_DENSE = 1 << 22
_FAR = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        name for ruleset in rulesets for rule in _speaking(ruleset, gate) for name in _named(ruleset, rule)
    )
    names |= dict.fromkeys(name for ruleset in rulesets for name in _asked(ruleset, gate))
    return Columns(
        gate=gate,
        scopes=tuple(scopes),
        scope=np.fromiter((scopes[case.scope] for case in cases), np.int64, len(cases)),
        days={
            clock: np.fromiter((case.date_for(clock).toordinal() for case in cases), np.int64, len(cases))
            for clock in clocks
        },
        facts={name: _column(VOCABULARY[gate][name], cases) for name in names},
        case=cases.__getitem__,
    )


def judge(ruleset: RuleSet, cases: Columns) -> Verdict:
    """Judge every row by the limits of its place and dates."""
    group, screens = _groups(ruleset, cases)
    rules = [rule for rule in _speaking(ruleset, cases.gate) if isinstance(rule, Rule)]
    broken, unjudged = (_words(len(cases), len(rules)) for _ in range(2))
    by_rule = [{item.rule.id: item for item in one.rules} for one in screens]
    untold = [one.untold for one in screens]
    for number, rule in enumerate(rules):
        items = [known.get(rule.id) for known in by_rule]
        word, bit = number // 64, np.uint64(1 << number % 64)
        if any(items):
            bad, open_ = _broken(rule, items, group, cases)
            _set(broken[word], bit, bad)
            if open_ is not None:
                _set(unjudged[word], bit, open_)
        if any(rule.id in names for names in untold):
            _set(unjudged[word], bit, np.array([rule.id in names for names in untold])[group])
    values = tuple(one.rests_on for one in screens)
    return Verdict(tuple(rule.id for rule in rules), broken, unjudged, group, values)


def _words(rows: int, rules: int) -> tuple[Words, ...]:
    return tuple(np.zeros(rows, np.uint64) for _ in range(max(1, -(-rules // 64))))


def _set(word: Words, bit: np.uint64, rows: Bools) -> None:
    if rows.any():  # most rules are broken by nobody, and looking is cheaper than writing
        np.bitwise_or(word, bit, out=word, where=rows)


def _speaking(ruleset: RuleSet, gate: Gate) -> list[Rule | ObligationRule | UndecidedRule]:
    known = ruleset.assembly
    every: tuple[Rule | ObligationRule | UndecidedRule, ...] = (*known.rules, *known.obligations, *known.undecided)
    return [rule for rule in every if gate in rule.gates]


def _named(ruleset: RuleSet, rule: Any) -> list[str]:
    names = [getattr(rule, name, None) for name in ("fact", "measured_from", "limit_fact")]
    if isinstance(rule, Rule):
        names += [axis.name for axis in ruleset.parameters[rule.parameter].axes]
        names += [rule.for_each.fact] if rule.for_each is not None else []
    return [name for name in names if name is not None]


def _asked(ruleset: RuleSet, gate: Gate) -> list[str]:
    """The facts that conditions of rules and exceptions look at, beside what the place says already."""
    asking = (*_speaking(ruleset, gate), *lifting(ruleset.assembly, gate))
    return sorted({item.fact for one in asking for item in one.conditions} - {"sector", "stage", "delivery"})


def _column(fact: Fact, cases: Sequence[Facts]) -> Column:
    read = fact.read
    given: list[Any] = [read(case) for case in cases]
    present = None
    if None in given:
        present = np.fromiter((item is not None for item in given), np.bool_, len(given))
    if fact.unit in ("option", "flag"):
        codes = {item: n for n, item in enumerate(dict.fromkeys(given))}
        return Column(np.fromiter((codes[item] for item in given), np.int64, len(given)), present, tuple(codes))
    number = _NUMBERS.get(fact.unit)
    numbers = given if number is None and present is None else (
        (0 if item is None else item if number is None else number(item)) for item in given
    )  # fmt: skip
    return Column(np.fromiter(numbers, np.int64, len(given)), present)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_NUMBERS: Mapping[str, Callable[[Any], int]] = {"date": date.toordinal, "instant": _microseconds}


def _groups(ruleset: RuleSet, cases: Columns) -> tuple[Ints, list[Screen]]:
    """Each row's group, and the groups' screens."""
    keys: list[tuple[Ints, int]] = [(cases.scope, len(cases.scopes))]
    for clock in ruleset.clocks(cases.gate):
        keys.append(_periods(ruleset.breaks(cases.gate, clock), cases.days[clock]))
    for name in _asked(ruleset, cases.gate):
        column = cases.facts[name]
        if column.labels is not None:
            keys.append((column.values, len(column.labels)))
        else:
            _, codes = np.unique(column.values, return_inverse=True)
            keys.append((codes.astype(np.int64), int(codes.max(initial=0)) + 1))
    group = np.zeros(len(cases), np.int64)
    size = 1
    for values, count in keys:
        if count > 1:
            group = group * count + values
            size *= count
            if size > _DENSE:
                group, size = _compressed(group, size)
    group, size = _compressed(group, size)
    first = np.zeros(size, np.int64)
    first[group[::-1]] = np.arange(len(cases) - 1, -1, -1)
    found = []
    for row in first.tolist():
        case = cases.case(row)
        found.append(screen(ruleset.plan(cases.gate, case), case))
    return group, found


def _compressed(group: Ints, size: int) -> tuple[Ints, int]:
    """The same groups, numbered without holes."""
    if size == 1:
        return group, 1 if len(group) else 0
    if size > _DENSE:
        kept, numbers = np.unique(group, return_inverse=True)
        return numbers.astype(np.int64), len(kept)
    seen = np.zeros(size, np.bool_)
    seen[group] = True
    if seen.all():
        return group, size
    return (np.cumsum(seen) - 1)[group], int(seen.sum())


def _periods(breaks: tuple[date, ...] | None, days: Ints) -> tuple[Ints, int]:
    """The period between two dates on which anything changes; None: every day is a period of its own."""
    low, high = int(days.min(initial=_FAR)), int(days.max(initial=0))
    if low > high:
        return days, 1
    if breaks is None:
        return days - low, high - low + 1
    edges = np.array([day.toordinal() for day in breaks if low < day.toordinal() <= high], np.int64)
    if not len(edges):
        return np.zeros(len(days), np.int64), 1
    table = np.searchsorted(edges, np.arange(low, high + 1), side="right").astype(np.int64)
    return table[days - low], len(edges) + 1


def _broken(rule: Rule, items: list[CompiledRule | None], group: Ints, cases: Columns) -> tuple[Bools, Bools | None]:
    """The rows that break a rule, and those where nobody told the fact it needs."""
    column = cases.facts[rule.fact]
    speaks = np.array([item is not None for item in items])
    here: Bools | None = None if speaks.all() else speaks[group]
    present = column.present
    if rule.must_be in ("at_most", "at_least"):
        bad = _beyond(rule, items, group, column.values, cases)
    else:
        bad = ~_allowed(items, column.labels or ())[group, column.values]
    tabled = any(check.missing for item in items if item is not None for check in item.checks)
    untold: Bools | None = None
    if tabled:
        beyond, untold = tabled_columns.beyond(rule, items, group, cases.facts)
        bad |= beyond
    if present is not None:
        bad &= present
    fact = next(item.fact for item in items if item is not None)
    open_: Bools | None = None
    if fact.may_be_untold and present is not None:
        open_ = ~present if here is None else ~present & here
    if any(check.untold for item in items if item is not None for check in item.checks):
        limit = cases.facts[rule.limit_fact or ""].present
        if limit is not None:
            missing = ~limit if here is None else ~limit & here
            missing = missing if present is None else missing & present
            open_ = missing if open_ is None else open_ | missing
    if untold is not None:
        untold &= True if present is None else present
        open_ = untold if open_ is None else open_ | untold
    return bad, open_


def _beyond(rule: Rule, items: list[CompiledRule | None], group: Ints, given: Ints, cases: Columns) -> Bools:
    lower = rule.must_be == "at_most"
    beyond = np.greater if lower else np.less
    tightest = min if lower else max
    loosest = _FAR if lower else -_FAR
    fixed = [
        tightest((_number(check.constant) for check in item.checks if check.is_fixed), default=loosest)
        if item is not None
        else loosest
        for item in items
    ]
    bad: Bools = np.zeros(len(group), np.bool_)
    if len(set(fixed)) == 1:
        if fixed[0] != loosest:
            bad = beyond(given, fixed[0])
    else:
        bad = beyond(given, np.array(fixed, np.int64)[group])
    spans: dict[Span, list[int]] = {}
    for number, item in enumerate(items):
        for span in {check.span for check in item.checks if check.span is not None} if item is not None else ():
            spans.setdefault(span, []).append(number)
    for span, groups in spans.items():
        start = cases.facts[span.start]
        bad |= _where(beyond(given, _ends(span, start.values)), groups, items, group, start.present)
    if rule.limit_fact is not None:
        limit = cases.facts[rule.limit_fact]
        groups = [n for n, item in enumerate(items) if item is not None]
        bad |= _where(beyond(given, limit.values), groups, items, group, limit.present)
    return bad


def _where(bad: Bools, groups: list[int], items: list[Any], group: Ints, present: Bools | None) -> Bools:
    if len(groups) < len(items):
        speaks = np.zeros(len(items), np.bool_)
        speaks[groups] = True
        bad = bad & speaks[group]
    return bad if present is None else bad & present


def _ends(span: Span, starts: Ints) -> Ints:
    """The day a span leads to, looked up by start day."""
    low, high = int(starts.min(initial=_FAR)), int(starts.max(initial=0))
    if low > high or low < 1:  # an absent day is 0 and masked by whoever asked
        known = np.unique(starts[starts > 0])
        table = {day: span.day(date.fromordinal(day)).toordinal() for day in known.tolist()}
        return np.fromiter((table.get(day, 0) for day in starts.tolist()), np.int64, len(starts))
    seen = np.zeros(high - low + 1, np.bool_)
    seen[starts - low] = True
    ends = np.zeros(high - low + 1, np.int64)
    for offset in np.flatnonzero(seen).tolist():
        ends[offset] = span.day(date.fromordinal(low + offset)).toordinal()
    return ends[starts - low]


def _allowed(items: list[CompiledRule | None], labels: tuple[Any, ...]) -> Bools:
    """For each group and label, whether it passes every level."""
    table = np.ones((len(items), len(labels)), np.bool_)
    for number, item in enumerate(items):
        if item is not None:
            table[number] = [
                label is None or all(item.passes(label, check.constant) for check in item.checks) for label in labels
            ]
    return table


def _number(limit: Any) -> int:
    return _NUMBERS["instant" if isinstance(limit, datetime) else "date"](limit) if isinstance(limit, date) else limit
