"""Cases made ready to be asked again and again: facts read once, the answer known, the parameters it rests on known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from offcampus_rules.asking import QUESTIONS, Answer, answer
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import Scope
from offcampus_rules.decision import Decision, Value
from offcampus_rules.parameters import within
from offcampus_rules.plain import FactsError, context
from offcampus_rules.rules import Condition, ObligationRule, Rule, UndecidedRule
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.testing import RuleCase, differences


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case with its typed facts, the answer it gets, and the (parameter, day) pairs that answer may rest on."""

    case: RuleCase
    facts: Any
    answer: Answer
    rests_on: frozenset[tuple[str, date]]

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(parameter for parameter, _ in self.rests_on)

    @property
    def scope(self) -> Scope:
        scope: Scope = self.facts.scope
        return scope

    @property
    def region(self) -> str:
        return self.scope.region

    def fails(self, ruleset: RuleSet) -> bool:
        """Whether these rules give an answer the case does not expect."""
        seen = answer(ruleset, self.facts)
        return seen != self.answer and next(differences(seen, self.case.expect), None) is not None


def asked(ruleset: RuleSet, cases: Sequence[RuleCase]) -> tuple[AskedCase, ...]:
    """The cases that come out as expected; the others say nothing about a change and are `check`'s to report."""
    traced = _Traced(ruleset)
    return tuple(item for case in cases if (item := _ask(traced, case)) is not None)


def _ask(traced: _Traced, case: RuleCase) -> AskedCase | None:
    try:
        facts = context(QUESTIONS[case.question], case.facts)
        traced.looked_up.clear()
        seen = answer(traced, facts)
    except FactsError:
        return None
    if next(differences(seen, case.expect), None) is not None:
        return None
    rests_on = set(traced.looked_up)
    if isinstance(seen, Decision):
        definitions = traced.parameters
        for name in _declared(traced.assembly, case.question, facts.scope.region):
            rests_on.add((name, facts.date_for(definitions[name].governed_by)))
    return AskedCase(case, facts, seen, frozenset(rests_on))


class _Traced(RuleSet):
    """Rules that remember which values were looked up one by one (deadlines, hooks)."""

    def __init__(self, ruleset: RuleSet) -> None:
        super().__init__(ruleset.assembly, ruleset.rejected, digest=ruleset.digest)
        self.looked_up: set[tuple[str, date]] = set()

    def value(self, parameter: str, scope: Scope, on: date) -> Value:
        self.looked_up.add((parameter, on))
        return super().value(parameter, scope, on)


def _declared(assembly: Assembly, gate: str, region: str) -> Iterator[str]:
    """The parameters that the rules of a gate name, limits and conditions alike."""
    rules: tuple[Rule | ObligationRule | UndecidedRule, ...]
    rules = (*assembly.rules, *assembly.obligations, *assembly.undecided)
    for rule in rules:
        if gate in rule.gates and within(region, rule.jurisdiction):
            yield from rule.parameters if isinstance(rule, Rule) else (rule.parameter,)
            yield from _conditional(rule.conditions)


def _conditional(conditions: Iterable[Condition]) -> Iterator[str]:
    return (condition.parameter for condition in conditions if condition.parameter is not None)
