"""Compiles the rules that apply at one place and date into comparisons, and judges facts with them.

A plan holds everything that does not depend on the facts: which rules apply, each level's limit with its source, the
words. Plans are cached by (gate, scope, dates); judging is then a handful of comparisons, and text is made only for
what is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Literal

from offcampus_rules import effective, units, wording
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import Facts, GovernedBy, Scope
from offcampus_rules.decision import NotEvaluated, Obligation, Value, Violation
from offcampus_rules.facts import VOCABULARY, Fact
from offcampus_rules.messages import Text
from offcampus_rules.parameters import Entry, Parameter, within
from offcampus_rules.rules import PASSES, Condition, Gate, ObligationRule, Rule, UndecidedRule
from offcampus_rules.units import Limit
from offcampus_rules.wording import Breach, Figures

Dates = Mapping[GovernedBy, date]
Predicate = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Check:
    """One level's limit of a rule. `span` is the duration behind a date limit, in words."""

    value: Value
    limit: Callable[[Any], Limit]
    span_zh: str
    span_en: str
    untold: str | None = None
    """The fact that is the limit, where nobody may have told it."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with what the plan's place and dates fix of it."""

    rule: Rule
    fact: Fact
    applies: Predicate | None
    checks: tuple[Check, ...]
    effective: Value
    text: Text
    passes: Callable[[Any, Any], bool]
    breach: Breach
    untold: Callable[[Any], str | None] | None = None
    """The name of a fact nobody told that would decide whether the rule applies; None: it is known."""


@dataclass(frozen=True, slots=True)
class CompiledObligation:
    rule: ObligationRule
    applies: Predicate | None
    due: Callable[[Any], date]
    value: Value
    text: Text


@dataclass(frozen=True, slots=True)
class CompiledUndecided:
    applies: Predicate | None
    note: NotEvaluated


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of facts at one gate, place and date."""

    rules: tuple[CompiledRule, ...]
    obligations: tuple[CompiledObligation, ...]
    undecided: tuple[CompiledUndecided, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What judging found: `values` are those of the rules that applied."""

    violations: tuple[Violation, ...]
    obligations: tuple[Obligation, ...]
    values: tuple[Value, ...]
    not_evaluated: tuple[NotEvaluated, ...]


def compile_plan(assembly: Assembly, gate: Gate, scope: Scope, dates: Dates) -> Plan:
    """Everything of the assembly that speaks at this gate, place and date."""
    compiler = _Compiler(assembly, gate, scope, dates)
    local = [rule for rule in assembly.rules if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    owed = [rule for rule in assembly.obligations if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    open_ = [rule for rule in assembly.undecided if gate in rule.gates and within(scope.region, rule.jurisdiction)]
    return Plan(
        rules=tuple(item for item in map(compiler.rule, local) if item is not None),
        obligations=tuple(item for item in map(compiler.obligation, owed) if item is not None),
        undecided=tuple(item for item in map(compiler.undecided, open_) if item is not None),
    )


def judge(plan: Plan, case: Facts) -> Findings:
    """Judge facts; every broken limit is found, whichever level set it."""
    violations: list[Violation] = []
    values: dict[str, Value] = {}
    notes: list[NotEvaluated] = []
    for item in plan.rules:
        if item.applies is not None and not item.applies(case):
            if item.untold is not None and (name := item.untold(case)) is not None:
                notes.append(_not_told(item.rule.id, name))
            continue
        given = item.fact.read(case)
        if given is None:
            if item.fact.may_be_untold:
                notes.append(_not_told(item.rule.id, item.fact.name))
            continue
        values[item.rule.parameter] = item.effective
        if item.fact.doubt is not None and (doubt := item.fact.doubt(case)) is not None:
            notes.append(NotEvaluated(item.rule.id, *doubt))
        for check in item.checks:
            limit = check.limit(case)
            if limit is None:
                if check.untold is not None:
                    notes.append(_not_told(item.rule.id, check.untold))
            elif not item.passes(given, limit):
                figures = Figures(item.rule.must_be, given, limit, item.fact.unit, check.span_zh, check.span_en)
                violations.append(wording.violation(item.breach, check.value, item.text, figures))
    notes.extend(item.note for item in plan.undecided if item.applies is None or item.applies(case))
    owed = [item for item in plan.obligations if item.applies is None or item.applies(case)]
    values.update((item.rule.parameter, item.value) for item in owed)
    duties = tuple(wording.obligation(item.rule, item.value, item.text, item.due(case)) for item in owed)
    return Findings(tuple(violations), duties, tuple(values.values()), tuple(notes))


def _not_told(rule: str, fact: str) -> NotEvaluated:
    return NotEvaluated(rule, f"未提供事实 {fact}，未作判断", f"the fact {fact} was not told, so this was not judged")


class _Compiler:
    def __init__(self, assembly: Assembly, gate: Gate, scope: Scope, dates: Dates) -> None:
        self._assembly = assembly
        self._vocabulary = VOCABULARY[gate]
        self._scope = scope
        self._dates = dates

    def rule(self, rule: Rule) -> CompiledRule | None:
        parameter = self._assembly.definitions[rule.parameter]
        applies = self._condition(rule.conditions)
        checks = tuple(
            self._check(rule, parameter, entry)
            for entry in self._binding(parameter)
            if parameter.unit != "flag" or entry.value is True
        )
        if not checks or applies is False:
            return None
        return CompiledRule(
            rule=rule,
            fact=self._vocabulary[rule.fact],
            applies=applies,
            checks=checks,
            effective=self._effective(parameter),
            text=self._assembly.texts[rule.code],
            passes=PASSES[rule.must_be],
            breach=Breach(rule.id, rule.code, rule.requirement, rule.fact, self._vocabulary[rule.fact].pointer),
            untold=self._untold(rule.conditions),
        )

    def obligation(self, rule: ObligationRule) -> CompiledObligation | None:
        parameter = self._assembly.definitions[rule.parameter]
        value = self._effective(parameter)
        applies = self._condition(rule.conditions)
        if not isinstance(value.value, int) or applies is False:
            return None
        start = self._vocabulary[rule.measured_from].read
        begun = partial(_has, start)
        applies = begun if applies is None else partial(_both, begun, applies)

        def due(case: Any, amount: int = value.value, unit: str = value.unit) -> date:
            return units.last_day(start(case), amount, unit).day  # type: ignore[arg-type]

        return CompiledObligation(rule, applies, due, value, self._assembly.texts[rule.code])

    def undecided(self, rule: UndecidedRule) -> CompiledUndecided | None:
        value = self._effective(self._assembly.definitions[rule.parameter])
        applies = self._condition(rule.conditions)
        if value.value is None or applies is False:
            return None
        return CompiledUndecided(applies, NotEvaluated(rule.id, rule.reason_zh, rule.reason_en))

    def _check(self, rule: Rule, parameter: Parameter, entry: Entry) -> Check:
        value = effective.to_value(parameter, entry)
        if rule.limit_fact is not None:
            other = self._vocabulary[rule.limit_fact]
            return Check(value, other.read, "", "", other.name if other.may_be_untold else None)
        if rule.measured_from is not None and isinstance(entry.value, int):
            return Check(
                value,
                self._measured(rule, parameter, value, entry.value),
                units.readable(entry.value, value.unit, "zh"),
                units.readable(entry.value, value.unit, "en"),
            )
        limit = units.limit(entry.value, value.unit)
        constant: Limit = (limit,) if value.unit == "option" and isinstance(limit, str) else limit
        return Check(value, lambda _: constant, "", "")

    def _measured(self, rule: Rule, parameter: Parameter, value: Value, amount: int) -> Callable[[Any], Limit]:
        start: Callable[[Any], Any] = self._vocabulary[rule.measured_from or ""].read
        unit, month_end = value.unit, parameter.month_end

        def measured(case: Any) -> Limit:
            begun = start(case)
            if begun is None:  # what never began has no term: whether it had to begin is a rule of its own
                return None
            if rule.back:
                return units.counted_back(begun, amount, unit)
            return units.counted_on(begun, amount, unit, month_end)

        return measured

    def _condition(self, conditions: tuple[Condition, ...]) -> Predicate | Literal[False] | None:
        """A predicate; None when there is nothing left to ask; False when it can never be met here."""
        tests: list[Predicate] = []
        for condition in conditions:
            wanted = condition.values if condition.values is not None else self._listed(condition.parameter or "")
            if condition.fact in ("sector", "stage", "delivery"):
                if getattr(self._scope, condition.fact) not in wanted:
                    return False
                continue
            tests.append(partial(_is_one_of, self._vocabulary[condition.fact].read, wanted))
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda case: all(test(case) for test in tests)

    def _untold(self, conditions: tuple[Condition, ...]) -> Callable[[Any], str | None] | None:
        facts = [self._vocabulary[condition.fact] for condition in conditions]
        open_ = [fact for fact in facts if fact.may_be_untold]
        if not open_:
            return None
        known = tuple(item for item in conditions if not self._vocabulary[item.fact].may_be_untold)
        applies = self._condition(known)

        def untold(case: Any) -> str | None:
            if applies is not None and (applies is False or not applies(case)):
                return None
            return next((fact.name for fact in open_ if fact.read(case) is None), None)

        return untold

    def _listed(self, parameter: str) -> frozenset[Any]:
        value = self._effective(self._assembly.definitions[parameter]).value
        return frozenset(value) if isinstance(value, tuple) else frozenset() if value is None else frozenset([value])

    def _binding(self, parameter: Parameter) -> tuple[Entry, ...]:
        entries = self._assembly.entries.get(parameter.id, ())
        return effective.binding(parameter, entries, self._scope, self._dates[parameter.governed_by])

    def _effective(self, parameter: Parameter) -> Value:
        entries = self._assembly.entries.get(parameter.id, ())
        return effective.effective(parameter, entries, self._scope, self._dates[parameter.governed_by])


def _has(read: Callable[[Any], Any], case: Any) -> bool:
    return read(case) is not None


def _both(one: Predicate, other: Predicate, case: Any) -> bool:
    return one(case) and other(case)


def _is_one_of(read: Callable[[Any], Any], wanted: frozenset[Any], case: Any) -> bool:
    return read(case) in wanted
