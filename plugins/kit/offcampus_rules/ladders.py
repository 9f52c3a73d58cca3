"""The limits of one fact, level upon level: a fact is held against the strictest first, and mostly that is all.

Invariants
- A test that a fact passes breaks no limit; one it does not pass is climbed rung by rung, so that every broken limit is
  found, whichever level set it.
- The rungs of a screen have one order, that of the decision: level, region, rule.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from offcampus_rules import wording
from offcampus_rules.decision import LEVELS, Violation
from offcampus_rules.plans import Check, CompiledRule, Read
from offcampus_rules.wording import Bound, Refusal, Told

_STARTS = 8192
"""How many start days a limit keeps; beyond that its rungs are made again."""

Pair = tuple[CompiledRule, Check]


class Rung:
    """A limit of one level; it is put into words when it is first broken."""

    __slots__ = ("_refusal", "check", "item", "limit", "passes", "place")

    def __init__(self, limit: Any, item: CompiledRule, check: Check, place: int) -> None:
        self.limit, self.item, self.check, self.place = limit, item, check, place
        self.passes = item.passes
        self._refusal: Refusal | None = None

    def refused(self, given: Told) -> Violation:
        """The violation by a case that gave this."""
        if self._refusal is None:
            bound = Bound(self.item.rule.must_be, self.limit, given.unit, self.check.span_zh, self.check.span_en)
            self._refusal = Refusal(self.item.breach, self.check.value, self.item.text, bound)
        return self._refusal.of(given)


class Moving:
    """Limits that are days counted from one fact, or that are another fact: a ladder for each start that was met."""

    __slots__ = ("_ladders", "_lower", "_pairs", "_places", "_read", "_strictest")

    def __init__(self, read: Read, pairs: Sequence[Pair], must_be: str, places: Mapping[Check, int]) -> None:
        self._read, self._pairs, self._lower, self._places = read, pairs, must_be == "at_most", places
        self._ladders: dict[Any, tuple[Rung, ...]] = {}
        self._strictest: dict[Any, Any] = {}

    def holds(self, given: Any, case: Any) -> bool:
        """Whether a fact passes the strictest limit; a limit that does not arise (None) lets everything pass."""
        start = self._read(case)
        if start is None:
            return True
        limit = self._strictest.get(start)
        if limit is None:
            limit = self._climbed(start)[0].limit
        return given <= limit if self._lower else given >= limit  # type: ignore[no-any-return]

    def ladder(self, case: Any) -> tuple[Rung, ...]:
        """The limits in a case, from the strictest on."""
        start = self._read(case)
        return () if start is None else self._ladders.get(start) or self._climbed(start)

    def _climbed(self, start: Any) -> tuple[Rung, ...]:
        rungs = [
            Rung(start if check.span is None else check.span.day(start), item, check, self._places[check])
            for item, check in self._pairs
        ]
        if len(self._ladders) >= _STARTS:
            self._ladders.clear()
            self._strictest.clear()
        found = self._ladders[start] = tuple(sorted(rungs, key=_limit, reverse=not self._lower))
        self._strictest[start] = found[0].limit
        return found


_limit = operator.attrgetter("limit")


class Test(NamedTuple):
    """One fact with all its rules.

    `first` compares it with the strictest of the limits that stand still, `rest` with whatever else there is (limits in
    the other direction, limits that move with the case); None: there is none. `ladders` are the levels' limits from the
    strictest on; `sets` those that have no order.
    """

    bit: int
    read: Read
    first: Callable[[Any], bool] | None
    rest: Callable[[Any, Any], bool] | None
    rules: tuple[CompiledRule, ...]
    ladders: tuple[tuple[Rung, ...], ...]
    moving: tuple[Moving, ...]
    sets: tuple[Rung, ...]

    def broken(self, given: Any, case: Any) -> Iterator[Rung]:
        """The limits that a fact breaks."""
        moving = [limits.ladder(case) for limits in self.moving]
        for ladder in (*self.ladders, *moving) if moving else self.ladders:
            for rung in ladder:
                if rung.passes(given, rung.limit):
                    break  # the rungs above are looser
                yield rung
        for rung in self.sets:
            if not rung.passes(given, rung.limit):
                yield rung


def violations(failed: Iterable[tuple[Any, Test]], case: Any) -> tuple[Violation, ...]:
    """Every limit that the given facts break, in words and in the decision's order."""
    found = []
    for given, test in failed:
        told = wording.told(given, test.rules[0].fact.unit)
        found += [(rung.place, rung, told) for rung in test.broken(given, case)]
    found.sort(key=_place)
    return tuple([rung.refused(told) for _, rung, told in found])


_place = operator.itemgetter(0)


def tests(rules: Sequence[CompiledRule]) -> Iterator[Test]:
    """The rules by the fact they look at."""
    pairs = [(item, check) for item in rules for check in item.checks]
    places = {check: place for place, (_, check) in enumerate(sorted(pairs, key=_rank))}
    by_fact: dict[str, list[CompiledRule]] = {}
    for item in rules:
        by_fact.setdefault(item.rule.fact, []).append(item)
    for number, group in enumerate(by_fact.values()):
        yield _test(1 << number, group, places)


def _rank(pair: Pair) -> tuple[int, str, str]:
    item, check = pair
    return LEVELS[check.value.level or "county"], check.value.region or "", item.rule.id


def _test(bit: int, group: Sequence[CompiledRule], places: Mapping[Check, int]) -> Test:
    pairs = [(item, check) for item in group for check in item.checks]
    fixed = [Rung(check.constant, item, check, places[check]) for item, check in pairs if check.is_fixed]
    ways = {way: [rung for rung in fixed if rung.item.rule.must_be == way] for way in ("at_most", "at_least")}
    constants = list(_constants(fixed))
    moving = tuple(_moving([pair for pair in pairs if not pair[1].is_fixed], places))
    return Test(
        bit,
        group[0].fact.read,
        constants[0] if constants else None,
        _all(constants[1:], moving),
        tuple(group),
        tuple(tuple(sorted(way, key=_limit, reverse=name == "at_least")) for name, way in ways.items() if way),
        moving,
        tuple(rung for rung in fixed if rung.item.rule.must_be not in ways),
    )


def _all(constants: Sequence[Callable[[Any], bool]], moving: Sequence[Moving]) -> Callable[[Any, Any], bool] | None:
    if not constants and len(moving) <= 1:
        return moving[0].holds if moving else None

    def every(given: Any, case: Any) -> bool:
        return all(passes(given) for passes in constants) and all(limit.holds(given, case) for limit in moving)

    return every


def _constants(rungs: Iterable[Rung]) -> Iterator[Callable[[Any], bool]]:
    """One comparison in place of all that have a constant limit."""
    limits: dict[str, list[Any]] = {}
    for rung in rungs:
        limits.setdefault(rung.item.rule.must_be, []).append(rung.limit)
    for must_be, known in limits.items():
        if must_be == "at_most":
            yield partial(operator.ge, min(known))
        elif must_be == "at_least":
            yield partial(operator.le, max(known))
        elif must_be == "one_of":
            yield partial(operator.contains, frozenset.intersection(*map(frozenset, known)))
        elif must_be == "none_of":
            yield partial(_is_outside, frozenset.union(*map(frozenset, known)))
        else:
            yield partial(operator.is_, must_be == "is_true")


def _is_outside(forbidden: frozenset[Any], given: Any) -> bool:
    return given not in forbidden


def _moving(pairs: Iterable[Pair], places: Mapping[Check, int]) -> Iterator[Moving]:
    """One per fact that limits are counted from, and direction."""
    groups: dict[tuple[str, str], list[Pair]] = {}
    for item, check in pairs:
        start = check.span.start if check.span is not None else item.rule.limit_fact or check.which
        groups.setdefault((start, item.rule.must_be), []).append((item, check))
    for (_, must_be), group in groups.items():
        span = group[0][1].span
        yield Moving(span.read if span is not None else group[0][1].other or _nothing, group, must_be, places)


def _nothing(_: Any) -> None:
    return None
