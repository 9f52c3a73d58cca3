"""The nation's floor, judged by itself beside the rules of a place: what it finds broken, a decision has to name.

By construction nothing can take a national finding away: levels meet, hooks add, only a national exception lifts. The
witness does not rely on that. It keeps the nation's own rules and values apart and compares twice:

- each plan, once, when it is made for a place and a period: every limit of the floor stands in it (`kept`);
- each decision of a gate for which any plugin has Python, and each of a plan that failed the first comparison:
  the floor is judged by itself, and a finding that is lacking is added, with an alarm (`unnamed`).

What counts as floor: rules of the nation all of whose parameters, conditions included, bind as `floor`. What localities
may rule otherwise (`default`, `choice`, `range`, `delegated`) is no floor; a declared exception lifts it as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from offcampus_rules import judge, screening
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import GovernedBy, Scope
from offcampus_rules.decision import Violation
from offcampus_rules.parameters import NATION
from offcampus_rules.plans import CompiledRule, Plan
from offcampus_rules.rules import Gate, Rule


class Witness:
    """The floor of an assembly. It holds nothing that a locality wrote but which national exceptions it activates."""

    def __init__(self, assembly: Assembly) -> None:
        self._floor = Assembly(
            definitions=dict(assembly.definitions),
            entries={
                name: tuple(entry for entry in known if entry.region == NATION)
                for name, known in assembly.entries.items()
            },
            rules=tuple(rule for rule in assembly.rules if _is_floor(rule, assembly)),
            texts=dict(assembly.texts),
            exceptions=dict(assembly.exceptions),
            activations=assembly.activations,
        )

    @property
    def rules(self) -> frozenset[str]:
        """The ids of the rules it watches over."""
        return frozenset(rule.id for rule in self._floor.rules)

    def plan(self, gate: Gate, scope: Scope, dates: Mapping[GovernedBy, date]) -> Plan:
        """What the floor asks at a gate, place and date."""
        return judge.compile_plan(self._floor, gate, scope, dates)


def unnamed(floor: Plan, case: Any, violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The floor's findings that a decision does not name. Mostly the floor finds nothing, which is asked first."""
    screen = screening.screen(floor, case)
    if screen.passes(case):
        return ()
    named = {(item.rule, item.fact) for item in violations if item.region == NATION}
    return tuple(item for item in screen.judge(case).violations if (item.rule, item.fact) not in named)


def kept(plan: Plan, floor: Plan) -> bool:
    """Whether a plan asks all that the floor asks: each rule, each of its limits, under no narrower condition."""
    here = {item.rule.id: item for item in plan.rules}
    return all(item.rule.id in here and _asks_as_much(here[item.rule.id], item) for item in floor.rules)


def _asks_as_much(here: CompiledRule, floor: CompiledRule) -> bool:
    limits = {check.value for check in here.checks}
    lifts = {(lift.exception, lift.region) for lift in floor.lifts}
    return (
        here.rule == floor.rule
        and all(check.value in limits for check in floor.checks)
        and all((lift.exception, lift.region) in lifts for lift in here.lifts)
        and all(wanted <= here.listed.get(fact, frozenset()) for fact, wanted in floor.listed.items())
    )


def _is_floor(rule: Rule, assembly: Assembly) -> bool:
    conditions = (item.parameter for item in rule.conditions if item.parameter is not None)
    named = (*rule.parameters, *conditions)
    return rule.jurisdiction == NATION and all(assembly.definitions[name].binding == "floor" for name in named)
