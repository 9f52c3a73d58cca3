"""Rules over a history: what would be decided otherwise, row by row, and with which totals.

Invariants
- Rows are judged in columns where data alone decides (`replay_columns`), and one by one, here, where a hook speaks or a
  fact is missing; both ways count alike, so nobody can see in a report which way a row went.
- A rule whose fact is missing is not evaluated and is counted; what the other rules find still stands.
- A row is `refuse` when a rule is broken, `not_evaluated` when none is known to be and a fact is missing, else `allow`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_args

from offcampus_rules.asking import Answer, answer
from offcampus_rules.decision import Decision, Value
from offcampus_rules.history import Row, answer_digest
from offcampus_rules.parameters import within
from offcampus_rules.plans import Plan
from offcampus_rules.rules import Gate
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.screening import screen

Kind = Literal["newly_refused", "newly_allowed", "other_outcome", "other_reasons", "other_values", "other_answer"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GATES: frozenset[str] = frozenset(get_args(Gate))


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule set says of one row: the rules that are broken, those nobody could judge, what they rest on."""

    outcome: str
    broken: frozenset[str] = frozenset()
    unjudged: frozenset[str] = frozenset()
    values: tuple[tuple[str, Any, str], ...] = ()
    answer: Answer | None = None
    """Of questions that are no gate."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row that two rule sets judge differently."""

    row: Row
    kind: Kind
    before: Judged
    after: Judged

    @property
    def rules(self) -> frozenset[str]:
        """The rules that one of the two finds broken and the other does not."""
        return self.before.broken ^ self.after.broken


def change(row: Row, before: Judged, after: Judged) -> Change | None:
    """What changed in a row, the weightiest first; None: nothing."""
    kind: Kind | None = None
    if before.outcome != after.outcome:
        pair = before.outcome, after.outcome
        kind = "newly_refused" if pair[1] == "refuse" else "newly_allowed" if pair == ("refuse", "allow") else None
        kind = kind or "other_outcome"
    elif before.broken != after.broken:
        kind = "other_reasons"
    elif before.answer != after.answer:
        kind = "other_answer"
    elif before.values != after.values:
        kind = "other_values"
    return None if kind is None else Change(row, kind, before, after)


def by_data(ruleset: RuleSet, gate: Gate, region: str) -> bool:
    """Whether data alone decides a gate at a place: no hook speaks there, and no plugin is out."""
    name = f"check_{gate}"
    hooked = any(name in plugin.hooks and within(region, plugin.jurisdiction) for plugin in ruleset.assembly.plugins)
    out = any(item.jurisdiction is not None and within(region, item.jurisdiction) for item in ruleset.rejected)
    return not hooked and not out


def judge_row(ruleset: RuleSet, row: Row) -> Judged:
    """One row by itself."""
    gate = cast("Gate", row.line.question)
    if gate not in GATES:
        return Judged("not_evaluated") if row.missing else Judged("answered", answer=_bare(answer(ruleset, row.case)))
    plan = ruleset.plan(gate, row.case)
    if row.missing:
        return _incomplete(plan, row.case)
    decision = answer(ruleset, row.case)
    assert isinstance(decision, Decision)
    found = screen(plan, row.case)
    return Judged(
        decision.outcome,
        frozenset(item.rule for item in decision.violations),
        frozenset(found.untold_in(row.case)),
        values_of(found.rests_on),
    )


def values_of(values: Iterable[Value]) -> tuple[tuple[str, Any, str], ...]:
    """What an answer rests on, as it is compared."""
    return tuple((item.parameter, item.value, item.unit) for item in values)


def _incomplete(plan: Plan, case: Any) -> Judged:
    """Every rule that can be judged without the facts that are missing."""
    broken, unjudged = set(), set()
    for item in plan.rules:
        try:
            gone = frozenset[str]().union(*(lift.regions for lift in item.lifts if lift.holds(case)))
            checks = [check for check in item.checks if check.value.region not in gone]
            if not checks:
                continue
            if item.applies is not None and not item.applies(case):
                if item.untold is not None and item.untold(case) is not None:
                    unjudged.add(item.rule.id)
                continue
            given = item.fact.read(case)
            if given is None:
                if item.fact.may_be_untold:
                    unjudged.add(item.rule.id)
                continue
            for check in checks:
                limit = check.limit(case)
                if limit is None and check.untold_in(case) is not None:
                    unjudged.add(item.rule.id)
                elif limit is not None and not item.passes(given, limit):
                    broken.add(item.rule.id)
        except AttributeError as error:
            if error.name not in type(case).__slots__:
                raise
            unjudged.add(item.rule.id)
    outcome = "refuse" if broken else "not_evaluated" if unjudged else "allow"
    return Judged(outcome, frozenset(broken), frozenset(unjudged))


def _bare(found: Answer) -> Any:
    """What an answer comes to: its sums, days and flags, without words, sources and alarms."""
    if isinstance(found, Value):
        return found.value, found.unit
    words = {"working", "working_zh", "values", "value", "alarms"}
    return tuple((item.name, getattr(found, item.name)) for item in fields(found) if item.name not in words)


def reproduced(ruleset: RuleSet, row: Row) -> Literal["same", "different", "other_rules", "no_digest"]:
    """Whether the stored facts give the stored answer, bit for bit, under the rules it was made with."""
    if row.line.answer_digest is None:
        return "no_digest"
    if row.line.ruleset_digest is not None and row.line.ruleset_digest != ruleset.digest:
        return "other_rules"
    if row.missing:
        return "different"
    return "same" if answer_digest(answer(ruleset, row.case)) == row.line.answer_digest else "different"
