"""Judges facts with a plan: most cases break nothing, so each fact is held against its strictest limit first.

Invariants
- A screen never decides that a rule is broken: when a fact does not pass, its rules are judged one level at a time.
- Every broken limit is found, whichever level set it; a fact that does not arise (None) makes its rules not applicable.
- Cases that agree on all facts that conditions look at share a screen; nothing else is remembered of a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from offcampus_rules import ladders, lifted, untold, wording
from offcampus_rules.decision import ExceptionApplied, NotEvaluated, Obligation, Value, Violation
from offcampus_rules.ladders import Test
from offcampus_rules.lifted import Lifted
from offcampus_rules.plans import CompiledObligation, CompiledRule, Plan

_SCREENS, _ABSENCES = 512, 256
"""How many screens a plan keeps, value lists a screen; beyond that they are made again."""


class Findings(msgspec.Struct, frozen=True, gc=False):
    """What judging found: `values` are those of the rules that applied."""

    violations: tuple[Violation, ...]
    obligations: tuple[Obligation, ...]
    values: tuple[Value, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    exceptions: tuple[ExceptionApplied, ...] = ()


def judge(plan: Plan, case: Any) -> Findings:
    """Judge facts; every broken limit is found, whichever level set it, and told in the order of levels."""
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


class Screen:
    """The rules of a plan that apply to every case with certain facts."""

    def __init__(self, plan: Plan, case: Any) -> None:
        def applies(item: Any) -> bool:
            return item.applies is None or bool(item.applies(case))

        self.lifted: tuple[Lifted, ...] = tuple(lifted.lifted(filter(applies, plan.rules), case))
        left = tuple(lifted.left(plan.rules, case))
        self.rules: tuple[CompiledRule, ...] = tuple(filter(applies, left))
        self.obligations: tuple[CompiledObligation, ...] = tuple(filter(applies, plan.obligations))
        self.undecided: tuple[NotEvaluated, ...] = tuple(item.note for item in plan.undecided if applies(item))
        self.tests: tuple[Test, ...] = tuple(ladders.tests(self.rules))
        self._quick = tuple((test.bit, test.read, test.first, test.rest, test) for test in self.tests)
        self._noting = tuple(untold.noting(left, applies, case))
        self.untold: frozenset[str] = frozenset(item.rule.id for item, note in self._noting if note is not None)
        self._settled = untold.depends_on_absence_alone(self._noting)
        self._told: dict[int, tuple[NotEvaluated, ...]] = {}
        self._values: dict[tuple[int, tuple[CompiledObligation, ...]], tuple[Value, ...]] = {}

    @property
    def rests_on(self) -> tuple[Value, ...]:
        """The values that the rules and duties rest on, whether or not their facts arise in a case."""
        return self._used(0, self.obligations)

    def untold_in(self, case: Any) -> Iterator[str]:
        """The rules that cannot be judged in a case because nobody told a fact."""
        return untold.rules(self._noting, case)

    def passes(self, case: Any) -> bool:
        """Whether no limit is broken."""
        for _, read, first, rest, _ in self._quick:
            given = read(case)
            if given is None:
                continue
            if (first is not None and not first(given)) or (rest is not None and not rest(given, case)):
                return False
        return True

    def judge(self, case: Any) -> Findings:
        """Violations, duties, the values that were used, and what could not be judged."""
        absent = 0
        failed: list[tuple[Any, Test]] | None = None
        for bit, read, first, rest, test in self._quick:
            given = read(case)
            if given is None:
                absent |= bit
            elif (first is not None and not first(given)) or (rest is not None and not rest(given, case)):
                if failed is None:
                    failed = []
                failed.append((given, test))
        owed: tuple[CompiledObligation, ...] = ()
        if self.obligations:
            owed = tuple(item for item in self.obligations if item.start(case) is not None)
        return Findings(
            ladders.violations(failed, case) if failed else (),
            tuple(_owed(item, case) for item in owed) if owed else (),
            self._values.get((absent, owed)) or self._used(absent, owed),
            self._notes(absent, case) if self._noting else self.undecided,
            tuple(lifted.applied(self.lifted, case)) if self.lifted else (),
        )

    def _notes(self, absent: int, case: Any) -> tuple[NotEvaluated, ...]:
        """Which facts are absent settles the notes, but for doubts and for limits that are facts themselves."""
        known = self._told.get(absent) if self._settled else None
        if known is None:
            known = (*untold.notes(self._noting, case), *self.undecided)
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


def _owed(item: CompiledObligation, case: Any) -> Obligation:
    return wording.obligation(item.rule, item.value, item.text, item.due(case))
