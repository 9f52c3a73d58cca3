"""Everything there is to say about one answer: the answer, the status of every rule, what had no effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from offcampus_rules import plain, statuses
from offcampus_rules.asking import QUESTIONS, Answer, answer
from offcampus_rules.context import GovernedBy
from offcampus_rules.decision import Decision, Figure, Value
from offcampus_rules.errors import FileProblem
from offcampus_rules.plain import FactsError
from offcampus_rules.rules import Gate
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.statuses import RuleStatus
from offcampus_rules.testing import observed


@dataclass(frozen=True, slots=True)
class Explanation:
    """`answer` None: facts that every decision needs are `missing`, so only the rules one by one can be told."""

    question: str
    answer: Answer | None
    rules: tuple[RuleStatus, ...] = ()
    looser: tuple[FileProblem, ...] = ()
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as the standard writes it, and beside it every rule's status and what had no effect."""
        document: dict[str, Any] = {"kind": self.question}
        if self.answer is not None:
            told = self.answer
            document |= told.to_json() if isinstance(told, Decision | Figure | Value) else observed(told)
        return document | {
            "missing_facts": list(self.missing),
            "rules": [item.to_json() for item in self.rules],
            "without_effect": [
                {
                    "file": problem.file.name,
                    "line": problem.position.line,
                    "code": problem.code,
                    "message_zh": problem.message_zh,
                    "message_en": problem.message_en,
                }
                for problem in self.looser
            ],
        }


def explain(ruleset: RuleSet, question: str, facts: Mapping[str, Any]) -> Explanation:
    """Ask and explain. Raises FactsError for facts that do not fit, or without place and governing date."""
    if question not in QUESTIONS:
        raise FactsError(f"nothing is called {question}; known: {', '.join(QUESTIONS)}")
    case, missing = plain.partial(QUESTIONS[question], facts)
    if missing:
        _require_place_and_dates(case)
    whole = None if missing else answer(ruleset, plain.context(QUESTIONS[question], facts))
    if question not in get_args(Gate):
        if missing:
            raise FactsError(f"{missing[0]} is missing from the facts of {QUESTIONS[question].__name__}")
        return Explanation(question, whole)
    rules = statuses.assess(ruleset, cast("Gate", question), case)
    return Explanation(question, whole, rules, statuses.looser_values(ruleset, rules, case), missing)


def _require_place_and_dates(case: Any) -> None:
    try:
        _ = case.scope, *(case.date_for(governed_by) for governed_by in get_args(GovernedBy))
    except AttributeError as error:
        raise FactsError(f"{error.name} is missing: without it nobody can say which rules apply") from error
