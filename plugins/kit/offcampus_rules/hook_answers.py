"""Asks the plugins' Python and admits what stands up to a check; a finding adds to what the rules found.

What a plugin says is compared with what the kernel knows: the fact is one of the gate, the limit is really broken, the
rule id is not another's, the words and the source exist. Anything else is an alarm; the gate follows its policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from offcampus_rules import effective, wording
from offcampus_rules.assembly import Assembly
from offcampus_rules.context import Facts, GovernedBy
from offcampus_rules.decision import Alarm, Value, Violation
from offcampus_rules.facts import VOCABULARY
from offcampus_rules.findings import Finding
from offcampus_rules.parameters import within
from offcampus_rules.plugin import Plugin
from offcampus_rules.quarantine import Quarantine
from offcampus_rules.rules import PASSES, Gate
from offcampus_rules.wording import Bound, Breach, Refusal
from offcampus_rules.worker.pool import Lookup, Question

_GOVERNED_BY: tuple[GovernedBy, ...] = ("contract_date", "event_date", "report_date")
_TABLES_LIMIT, _VALUES_LIMIT = 4096, 65_536
_TABLE_IDS = count(1)
"""Across rule sets: a worker serves every set its plugin is in, and each has its own values."""

Added = tuple[tuple[Violation, ...], tuple[Alarm, ...]]


class _Unfounded(Exception):
    """A finding does not stand up; the message says in which respect."""


class HookAnswers:
    """The Python of an assembly's plugins. `guarded`: one that fails again and again is left out for a while."""

    def __init__(self, assembly: Assembly, guarded: bool) -> None:
        self._assembly = assembly
        self._quarantines = {plugin.jurisdiction: Quarantine() for plugin in assembly.plugins if guarded}
        self._owners: Mapping[str, str] = {rule.id: rule.jurisdiction for rule in assembly.rules}
        self._plugins = tuple(plugin for plugin in assembly.plugins if plugin.hooks)
        self._tables: dict[tuple[Any, ...], int] = {}
        self._values: dict[tuple[int, str], Value] = {}

    def having(self, hook: str, region: str) -> tuple[Plugin, ...]:
        """The plugins that speak in a region with this hook."""
        return tuple(item for item in self._plugins if hook in item.hooks and within(region, item.jurisdiction))

    def gate(self, kind: Gate, cases: Sequence[Facts]) -> list[Added]:
        """For each case what the plugins of its region add at a gate, and which of them failed."""
        hook = f"check_{kind}"
        violations: list[list[Violation]] = [[] for _ in cases]
        alarms: list[list[Alarm]] = [[] for _ in cases]
        for plugin in self._plugins:
            if hook not in plugin.hooks:
                continue
            mine = [index for index, case in enumerate(cases) if within(case.scope.region, plugin.jurisdiction)]
            for index, answer in zip(mine, self.ask(plugin, hook, [cases[index] for index in mine]), strict=True):
                if not answer:
                    continue
                founded = answer if isinstance(answer, Alarm) else self._founded(plugin, kind, cases[index], answer)
                if isinstance(founded, Alarm):
                    alarms[index].append(founded)
                else:
                    violations[index].extend(founded)
        return [(tuple(found), tuple(told)) for found, told in zip(violations, alarms, strict=True)]

    def ask(self, plugin: Plugin, hook: str, cases: Sequence[Facts]) -> list[tuple[Any, ...] | Alarm]:
        """One plugin's answers to one hook."""
        if not cases or plugin.code is None:
            return []
        quarantine = self._quarantines.get(plugin.jurisdiction)
        if quarantine is not None and not quarantine.admits():
            out = Alarm(plugin.info.distribution, hook, "is in quarantine after repeated failures")
            return [out] * len(cases)
        answers = plugin.code.ask(hook, [Question(case, self._table(case), self.lookup(case)) for case in cases])
        if quarantine is not None:
            failed = any(isinstance(answer, Alarm) for answer in answers)
            quarantine.failed() if failed else quarantine.succeeded()
        return answers

    def lookup(self, case: Facts) -> Lookup:
        """Every parameter's effective value at the case's place and date; None for one that nobody defines."""
        return partial(self._value, case)

    def _value(self, case: Facts, name: str) -> Value | None:
        table = self._table(case)
        known = self._values.get((table, name))
        definition = self._assembly.definitions.get(name)
        if known is None and definition is not None:
            entries = self._assembly.entries.get(name, ())
            known = effective.effective(definition, entries, case.scope, case.date_for(definition.governed_by))
            if len(self._values) >= _VALUES_LIMIT:
                self._values.clear()
            self._values[table, name] = known
        return known

    def _table(self, case: Facts) -> int:
        scope = case.scope
        dates = [case.date_for(governed_by) for governed_by in _GOVERNED_BY]
        key = (scope.region, scope.sector, scope.stage, scope.delivery, *dates)
        known = self._tables.get(key)
        if known is None:
            if len(self._tables) >= _TABLES_LIMIT:
                self._tables.clear()
            known = self._tables[key] = next(_TABLE_IDS)
        return known

    def _founded(
        self, plugin: Plugin, kind: Gate, case: Facts, found: Sequence[Finding]
    ) -> tuple[Violation, ...] | Alarm:
        lookup, name = self.lookup(case), plugin.info.distribution
        try:
            return tuple(self._violation(plugin, kind, item, lookup(item.parameter)) for item in found)
        except _Unfounded as error:
            return Alarm(name, f"check_{kind}", f"returned a finding {error}")
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return Alarm(name, f"check_{kind}", f"returned a finding without explanation ({type(error).__name__})")

    def _violation(self, plugin: Plugin, kind: Gate, finding: Finding, value: Value | None) -> Violation:
        fact = VOCABULARY[kind].get(finding.fact)
        if value is None:
            raise _Unfounded("without explanation (no such parameter)")
        if fact is None or fact.unit != finding.unit:
            raise _Unfounded("about no fact of this gate")
        if self._owners.get(finding.rule, plugin.jurisdiction) != plugin.jurisdiction:
            raise _Unfounded("in the name of another's rule")
        if PASSES[finding.must_be](finding.given, finding.allowed):
            raise _Unfounded("of a limit that is not broken")
        breach = Breach(finding.rule, finding.code, finding.requirement, finding.fact, fact.pointer)
        bound = Bound(finding.must_be, finding.allowed, finding.unit)
        refusal = Refusal(breach, value, self._assembly.texts[finding.code], bound)
        return refusal.of(wording.told(finding.given, finding.unit))
