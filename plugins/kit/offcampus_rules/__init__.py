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
from offcampus_rules.errors import FileProblem, RuleFileError, RuleKitError, RuleSetError
from offcampus_rules.registry import load_ruleset
from offcampus_rules.ruleset import Rejected, RuleSet

__all__ = [
    "Alarm",
    "Charge",
    "Citation",
    "Confirmation",
    "Consumption",
    "CourseFiling",
    "Deadline",
    "Decision",
    "FileProblem",
    "LessonPlan",
    "NotEvaluated",
    "Obligation",
    "OpenOrder",
    "PluginInfo",
    "RefundRequest",
    "RefundTerms",
    "Rejected",
    "Release",
    "RuleFileError",
    "RuleKitError",
    "RuleSet",
    "RuleSetError",
    "Scope",
    "Value",
    "Violation",
    "load_ruleset",
]
