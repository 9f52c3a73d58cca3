"""Judges facts with a plan: most cases break nothing, so each fact is held against its strictest limit first.

Invariants
- A screen never decides that a rule is broken: when a fact does not pass, its rules are judged one level at a time.
- Every broken limit is found, whichever level set it; a fact that does not arise (None) makes its rules not applicable.
- Cases that agree on all facts that conditions look at share a screen; nothing else is remembered of a case.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

from offcampus_rules import wording
from offcampus_rules.decision import ExceptionApplied, NotEvaluated, Obligation, Value, Violation
from offcampus_rules.plans import Check, CompiledObligation, CompiledRule, Lift, Plan, Read
from offcampus_rules.wording import Figures

_SCREENS, _ABSENCES, _STARTS = 512, 256, 8192
"""How many screens a plan keeps, value lists a screen, start days a limit; beyond that they are made again."""


class Findings(NamedTuple):
    """What judging found: `values` are those of the rules that applied."""

    violations: tuple[Violation, ...]
    obligations: tuple[Obligation, ...]
    values: tuple[Value, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    exceptions: tuple[ExceptionApplied, ...] = ()


def judge(plan: Plan, case: Any) -> Findings:
    """Judge facts; every broken limit is found, whichever level set it."""
    return screen(plan, case).judge(case)


def screen(plan: Plan, case: Any) -> Screen:
    """The rules that a case meets, ready to be judged."""
    key = tuple([read(case) for read in plan.asked])
    found = plan.screens.get(key)
    if found is None:
        if len(plan.screens) >= _SCREENS:
            plan.screens.clear()
        found = plan.screens[key] = Screen(plan, case)
    return found


class Rung(NamedTuple):
    """A limit of one level, in order from the strictest."""

    limit: Any
    item: CompiledRule
    check: Check


class Test(NamedTuple):
    """One fact with all its rules. `first` and `holds` are comparisons with the strictest limits (mostly there is
    one); `moving` the same for limits that move with the case.

    `ladders` are the levels' constant limits from the strictest on; `sets` those that have no order.
    """

    bit: int
    read: Read
    first: Callable[[Any], bool]
    holds: tuple[Callable[[Any], bool], ...]
    moving: tuple[Moving, ...]
    rules: tuple[CompiledRule, ...]
    ladders: tuple[tuple[Rung, ...], ...]
    sets: tuple[Rung, ...]


class Screen:
    """The rules of a plan that apply to every case with certain facts."""

    def __init__(self, plan: Plan, case: Any) -> None:
        def applies(item: Any) -> bool:
            return item.applies is None or bool(item.applies(case))

        self.lifted: tuple[Lifted, ...] = tuple(_lifted(filter(applies, plan.rules), case))
        left = tuple(_left(plan.rules, case))
        self.rules: tuple[CompiledRule, ...] = tuple(filter(applies, left))
        self.obligations: tuple[CompiledObligation, ...] = tuple(filter(applies, plan.obligations))
        self.undecided: tuple[NotEvaluated, ...] = tuple(item.note for item in plan.undecided if applies(item))
        self.tests: tuple[Test, ...] = tuple(_tests(self.rules))
        self._noting = tuple(_noting(left, applies, case))
        self.untold: frozenset[str] = frozenset(item.rule.id for item, note in self._noting if note is not None)
        self._settled = not any(
            item.fact.doubt or any(check.untold or check.missing for check in item.checks) for item, _ in self._noting
        )
        self._told: dict[int, tuple[NotEvaluated, ...]] = {}
        self._values: dict[tuple[int, tuple[CompiledObligation, ...]], tuple[Value, ...]] = {}

    @property
    def rests_on(self) -> tuple[Value, ...]:
        """The values that the rules and duties rest on, whether or not their facts arise in a case."""
        return self._used(0, self.obligations)

    def untold_in(self, case: Any) -> Iterator[str]:
        """The rules that cannot be judged in a case because nobody told a fact."""
        for item, note in self._noting:
            if note is not None:
                yield item.rule.id
            elif item.fact.read(case) is None:
                yield from (item.rule.id,) if item.fact.may_be_untold else ()
            elif any(check.limit(case) is None and check.untold_in(case) for check in item.checks):
                yield item.rule.id

    def judge(self, case: Any) -> Findings:
        """Violations, duties, the values that were used, and what could not be judged."""
        absent = 0
        failed: list[tuple[Any, Test]] | None = None
        for test in self.tests:
            bit, read, first, holds, moving, *_ = test
            given = read(case)
            if given is None:
                absent |= bit
                continue
            if first(given):
                if not holds and not moving:
                    continue
                for passes in holds:
                    if not passes(given):
                        break
                else:
                    for limit in moving:
                        if not limit.holds(given, case):
                            break
                    else:
                        continue
            failed = [] if failed is None else failed
            failed.append((given, test))
        owed: tuple[CompiledObligation, ...] = ()
        if self.obligations:
            owed = tuple(item for item in self.obligations if item.start(case) is not None)
        return Findings(
            tuple(_violations(failed, case)) if failed else (),
            tuple(_owed(item, case) for item in owed) if owed else (),
            self._values.get((absent, owed)) or self._used(absent, owed),
            self._notes(absent, case) if self._noting else self.undecided,
            tuple(_applied(self.lifted, case)) if self.lifted else (),
        )

    def _notes(self, absent: int, case: Any) -> tuple[NotEvaluated, ...]:
        """Which facts are absent settles the notes, but for doubts and for limits that are facts themselves."""
        known = self._told.get(absent) if self._settled else None
        if known is None:
            known = (*_notes(self._noting, case), *self.undecided)
            if self._settled and len(self._told) < _ABSENCES:
                self._told[absent] = known
        return known

    def _used(self, absent: int, owed: tuple[CompiledObligation, ...]) -> tuple[Value, ...]:
        missing = {item.rule.id for test in self.tests if test.bit & absent for item in test.rules}
        judged = [item for item in self.rules if item.rule.id not in missing]
        values = {item.rule.parameter: item.effective for item in judged}
        values.update((value.parameter, value) for item in judged for value in item.also if value.value is not None)
        values.update((item.rule.parameter, item.value) for item in owed)
        if len(self._values) >= _ABSENCES:
            self._values.clear()
        used = self._values[absent, owed] = tuple(values.values())
        return used


class Moving:
    """Limits that are days counted from one fact, or that are another fact: a ladder for each start that was met."""

    __slots__ = ("_ladders", "_lower", "_pairs", "_read")

    def __init__(self, read: Read, pairs: Sequence[Pair], must_be: str) -> None:
        self._read, self._pairs, self._lower = read, pairs, must_be == "at_most"
        self._ladders: dict[Any, tuple[Rung, ...]] = {}

    def holds(self, given: Any, case: Any) -> bool:
        """Whether a fact passes the strictest limit; a limit that does not arise (None) lets everything pass."""
        start = self._read(case)
        if start is None:
            return True
        limit = (self._ladders.get(start) or self._ladder(start))[0].limit
        return bool(given <= limit if self._lower else given >= limit)

    def ladder(self, case: Any) -> tuple[Rung, ...]:
        """The limits in a case, from the strictest on."""
        start = self._read(case)
        return () if start is None else self._ladders.get(start) or self._ladder(start)

    def _ladder(self, start: Any) -> tuple[Rung, ...]:
        rungs = [
            Rung(start if check.span is None else check.span.day(start), item, check) for item, check in self._pairs
        ]
        if len(self._ladders) >= _STARTS:
            self._ladders.clear()
        found = self._ladders[start] = tuple(sorted(rungs, key=_limit, reverse=not self._lower))
        return found


Pair = tuple[CompiledRule, Check]
_limit = operator.itemgetter(0)


def _tests(rules: Iterable[CompiledRule]) -> Iterator[Test]:
    by_fact: dict[str, list[CompiledRule]] = {}
    for item in rules:
        by_fact.setdefault(item.rule.fact, []).append(item)
    for number, group in enumerate(by_fact.values()):
        pairs = [(item, check) for item in group for check in item.checks]
        fixed = [Rung(check.constant, item, check) for item, check in pairs if check.is_fixed]
        constants = list(_constants(fixed))
        ways = {way: [rung for rung in fixed if rung.item.rule.must_be == way] for way in ("at_most", "at_least")}
        yield Test(
            1 << number,
            group[0].fact.read,
            constants[0] if constants else _anything,
            tuple(constants[1:]),
            tuple(_moving([pair for pair in pairs if not pair[1].is_fixed])),
            tuple(group),
            tuple(tuple(sorted(way, key=_limit, reverse=name == "at_least")) for name, way in ways.items() if way),
            tuple(rung for rung in fixed if rung.item.rule.must_be not in ways),
        )


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


def _anything(_: Any) -> bool:
    return True


def _is_outside(forbidden: frozenset[Any], given: Any) -> bool:
    return given not in forbidden


def _moving(pairs: Iterable[Pair]) -> Iterator[Moving]:
    """One per fact that limits are counted from, and direction."""
    groups: dict[tuple[str, str], list[Pair]] = {}
    for item, check in pairs:
        start = check.span.start if check.span is not None else item.rule.limit_fact or check.which
        groups.setdefault((start, item.rule.must_be), []).append((item, check))
    for (_, must_be), group in groups.items():
        span = group[0][1].span
        yield Moving(span.read if span is not None else group[0][1].other or _nothing, group, must_be)


def _nothing(_: Any) -> None:
    return None


def _violations(failed: list[tuple[Any, Test]], case: Any) -> Iterator[Violation]:
    for given, test in failed:
        for ladder in (*test.ladders, *(moving.ladder(case) for moving in test.moving)):
            for limit, item, check in ladder:
                if item.passes(given, limit):
                    break  # the rungs above are looser
                yield _violation(item, check, given, limit)
        for limit, item, check in test.sets:
            if not item.passes(given, limit):
                yield _violation(item, check, given, limit)


@lru_cache(maxsize=8192)
def _violation(item: CompiledRule, check: Check, given: Any, limit: Any) -> Violation:
    """Many orders break the same limit with the same figure."""
    figures = Figures(item.rule.must_be, given, limit, item.fact.unit, check.span_zh, check.span_en)
    return wording.violation(item.breach, check.value, item.text, figures)


class Lifted(NamedTuple):
    """What of a rule an exception lifts in the cases of a screen."""

    lift: Lift
    item: CompiledRule
    tests: tuple[Test, ...]


def _lifted(rules: Iterable[CompiledRule], case: Any) -> Iterator[Lifted]:
    for item in rules:
        for lift in item.lifts:
            checks = tuple(check for check in item.checks if check.value.region in lift.regions)
            if checks and lift.holds(case):
                part = replace(item, checks=checks, lifts=())
                yield Lifted(lift, item, tuple(_tests((part,))))


def _left(rules: Iterable[CompiledRule], case: Any) -> Iterator[CompiledRule]:
    """The rules with the limits that exceptions leave; a rule that is lifted whole is gone, whatever nobody told."""
    for item in rules:
        gone = frozenset[str]().union(*(lift.regions for lift in item.lifts if lift.holds(case)))
        checks = tuple(check for check in item.checks if check.value.region not in gone)
        if checks:
            yield item if len(checks) == len(item.checks) else replace(item, checks=checks)


def _applied(lifted: Iterable[Lifted], case: Any) -> Iterator[ExceptionApplied]:
    """The exceptions that made a difference: without them a limit would be broken."""
    rules: dict[tuple[str, str], list[str]] = {}
    lifts: dict[tuple[str, str], Lift] = {}
    for lift, item, tests in lifted:
        given = item.fact.read(case)
        if given is not None and any(True for test in tests for _ in _violations([(given, test)], case)):
            key = (lift.exception, lift.region)
            lifts[key] = lift
            rules.setdefault(key, []).append(item.rule.id)
    for key in sorted(rules):
        lift = lifts[key]
        names = tuple(sorted(set(rules[key])))
        yield ExceptionApplied(
            lift.exception, lift.title_zh, lift.title_en, names, lift.region, lift.basis, lift.source
        )


Noting = tuple[CompiledRule, NotEvaluated | None]
"""A rule that may have to say why it was not judged; the note, where the screen's facts alone settle it."""


def _noting(rules: Iterable[CompiledRule], applies: Callable[[Any], bool], case: Any) -> Iterator[Noting]:
    for item in rules:
        if not applies(item):
            name = item.untold(case) if item.untold is not None else None
            if name is not None:
                yield item, _not_told(item.rule.id, name)
        elif item.fact.doubt or item.fact.may_be_untold or any(check.untold or check.missing for check in item.checks):
            yield item, None


def _notes(noting: tuple[Noting, ...], case: Any) -> Iterator[NotEvaluated]:
    for item, note in noting:
        if note is not None:
            yield note
        elif item.fact.read(case) is None:
            if item.fact.may_be_untold:
                yield _not_told(item.rule.id, item.fact.name)
        else:
            if item.fact.doubt is not None and (doubt := item.fact.doubt(case)) is not None:
                yield NotEvaluated(item.rule.id, *doubt)
            for check in item.checks:
                if check.limit(case) is None and (name := check.untold_in(case)) is not None:
                    yield _not_told(item.rule.id, name)


def _not_told(rule: str, fact: str) -> NotEvaluated:
    return NotEvaluated(rule, f"未提供事实 {fact}，未作判断", f"the fact {fact} was not told, so this was not judged")


def _owed(item: CompiledObligation, case: Any) -> Obligation:
    return wording.obligation(item.rule, item.value, item.text, item.due(case))
