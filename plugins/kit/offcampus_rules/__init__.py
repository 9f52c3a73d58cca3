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
    InstitutionWindow,
    InstitutionYear,
    LessonPlan,
    ListChange,
    OpenOrder,
    PriceRequest,
    RefundRefusal,
    RefundRequest,
    Release,
    ReleasePlanRequest,
    ReserveCase,
    Scope,
    StaffRecord,
)
from offcampus_rules.decision import (
    Alarm,
    Citation,
    Deadline,
    Decision,
    ExceptionApplied,
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
    "ExceptionApplied",
    "FileProblem",
    "InstitutionWindow",
    "InstitutionYear",
    "LessonPlan",
    "ListChange",
    "NotEvaluated",
    "Obligation",
    "OpenOrder",
    "PluginInfo",
    "PriceRequest",
    "RefundRefusal",
    "RefundRequest",
    "RefundTerms",
    "Rejected",
    "Release",
    "ReleasePlanRequest",
    "ReserveCase",
    "RuleFileError",
    "RuleKitError",
    "RuleSet",
    "RuleSetError",
    "Scope",
    "StaffRecord",
    "Value",
    "Violation",
    "load_ruleset",
]
