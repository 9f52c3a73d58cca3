"""The rule kit: dated, sourced parameters; gates that refuse with reasons; deadlines that show their working.

    ruleset = load_ruleset()
    decision = ruleset.check_charge(Charge(...))
    decision.outcome, decision.violations, decision.to_json()

Everything is pure: facts in, decision out; no clock, no network, no database at decision time.
"""

from offcampus_rules.context import (
    Charge,
    Confirmation,
    Consumption,
    CourseFiling,
    LessonPlan,
    OpenOrder,
    RefundRequest,
    Release,
    Scope,
)
from offcampus_rules.decision import (
    Alarm,
    Citation,
    Deadline,
    Decision,
    NotEvaluated,
    Obligation,
    PluginInfo,
    RefundTerms,
    Value,
    Violation,
)

__all__ = [
    "Alarm",
    "Charge",
    "Citation",
    "Confirmation",
    "Consumption",
    "CourseFiling",
    "Deadline",
    "Decision",
    "LessonPlan",
    "NotEvaluated",
    "Obligation",
    "OpenOrder",
    "PluginInfo",
    "RefundRequest",
    "RefundTerms",
    "Release",
    "Scope",
    "Value",
    "Violation",
]
