"""Rules that can never apply (R-UNREACH): their conditions leave out all that their parameter speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from offcampus_rules.assembly import Assembly
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES
from offcampus_rules.errors import FileProblem
from offcampus_rules.nearest import known_or_near
from offcampus_rules.plugin import Plugin
from offcampus_rules.rules import ObligationRule, Rule, RuleFile, UndecidedRule
from offcampus_rules.yaml12 import Path12

_AXES = {"sector": SECTORS, "stage": STAGES, "delivery": DELIVERIES}


def unreachable(plugin: Plugin, assembly: Assembly) -> Iterator[FileProblem]:
    """One problem a rule of this plugin that nothing in `assembly` can ever bring to bear."""
    for file in plugin.rule_files:
        for kind, items in file.sections():
            for index, item in enumerate(items):
                yield from _rule(file, (kind, index), item, assembly)


def _rule(
    file: RuleFile, path: Path12, rule: Rule | ObligationRule | UndecidedRule, assembly: Assembly
) -> Iterator[FileProblem]:
    wanted = {item.fact: item.values for item in rule.conditions if item.fact in _AXES and item.values is not None}
    for name, values in wanted.items():
        for value in sorted(map(str, values - set(_AXES[name]))):
            en, zh = known_or_near(value, _AXES[name])
            yield file.document.problem(
                (*path, "when", name), "R-UNREACH", f"{value} is no {name}; {en}", f"{value} 不是合法的 {name}；{zh}"
            )
    speaking = [entry for entry in assembly.entries.get(rule.parameter, ()) if entry.binds and entry.value is not None]
    met = any(
        all(dict(zip(_AXES, cell, strict=True))[name] in values for name, values in wanted.items())
        for entry in speaking
        for cell in entry.cells
    )
    if speaking and not met:
        yield file.document.problem(
            (*path, "when"),
            "R-UNREACH",
            f"{rule.id} never applies: {rule.parameter} has no value for any training that `when` leaves over",
            f"{rule.id} 永远不会适用：{rule.parameter} 对 when 所余的培训均无取值",
        )
