"""One way to ask a rule set anything by name, for case files and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from offcampus_rules.context import (
    Charge,
    Confirmation,
    Consumption,
    CourseFiling,
    InstitutionWindow,
    InstitutionYear,
    LessonPlan,
    ListChange,
    ListReview,
    PriceRequest,
    RefundRefusal,
    RefundRequest,
    Release,
    ReleasePlanRequest,
    ReserveCase,
    Scope,
    StaffRecord,
)
from offcampus_rules.decision import Deadline, Decision, Figure, RefundTerms, Value
from offcampus_rules.plain import FactsError, context
from offcampus_rules.ruleset import RuleSet

Answer = Decision | Deadline | RefundTerms | Figure | Value


@dataclass(frozen=True, slots=True)
class ValueQuestion:
    """Which value holds, where, on which day; `at`: in which cell of a table."""

    parameter: str
    scope: Scope
    day: date
    at: Mapping[str, int | str] | None = None


QUESTIONS: Mapping[str, type[Any]] = {
    "charge": Charge,
    "course": CourseFiling,
    "lesson": LessonPlan,
    "staff": StaffRecord,
    "consumption": Consumption,
    "release": Release,
    "refund_refusal": RefundRefusal,
    "list_change": ListChange,
    "confirmation": Confirmation,
    "refund": RefundRequest,
    "release_plan": ReleasePlanRequest,
    "price": PriceRequest,
    "reserve": ReserveCase,
    "warning": InstitutionWindow,
    "credit": InstitutionYear,
    "list_transitions": ListReview,
    "value": ValueQuestion,
}


def ask(ruleset: RuleSet, question: str, facts: Mapping[str, Any]) -> Answer:
    """Ask a question by its name with plain facts. Raises FactsError for facts that do not fit it."""
    if question not in QUESTIONS:
        raise FactsError(f"nothing is called {question}; known: {', '.join(QUESTIONS)}")
    return answer(ruleset, context(QUESTIONS[question], facts))


def answer(ruleset: RuleSet, case: Any) -> Answer:
    """Put a typed case before the rule set."""
    if isinstance(case, ValueQuestion):
        if case.parameter not in ruleset.parameters:
            raise FactsError(f"{case.parameter} is no parameter of this rule set")
        return _cell(ruleset.value(case.parameter, case.scope, case.day), case.at)
    result: Answer = _METHODS[type(case)](ruleset, case)
    return result


def _cell(value: Value, at: Mapping[str, int | str] | None) -> Value:
    if at is None:
        return value
    try:
        return value.at(**at)
    except (TypeError, KeyError) as error:
        raise FactsError(str(error.args[0])) from error


_METHODS: Mapping[type, Any] = {
    Charge: RuleSet.check_charge,
    CourseFiling: RuleSet.check_course,
    LessonPlan: RuleSet.check_lesson,
    StaffRecord: RuleSet.check_staff,
    Consumption: RuleSet.check_consumption,
    Release: RuleSet.check_release,
    RefundRefusal: RuleSet.check_refund_refusal,
    ListChange: RuleSet.check_list_change,
    Confirmation: RuleSet.confirmation_due,
    RefundRequest: RuleSet.refund_terms,
    ReleasePlanRequest: RuleSet.release_plan,
    PriceRequest: RuleSet.price_limit,
    ReserveCase: RuleSet.reserve_required,
    InstitutionWindow: RuleSet.warning,
    InstitutionYear: RuleSet.credit,
    ListReview: RuleSet.list_transitions,
}
