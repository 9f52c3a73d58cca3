"""The vocabulary of rules: every fact a rule file may name, per gate, with its unit.

A fact is read from a context by a pure function. None means that the fact does not arise (owned premises have no
lease), or that nobody told it (`Fact.may_be_untold`): a rule about it is "not evaluated", and the decision says so.
"""

from collections.abc import Mapping
from typing import Any

from offcampus_rules.context import (
    Charge,
    Consumption,
    CourseFiling,
    InstitutionWindow,
    LessonPlan,
    ListChange,
    RefundRefusal,
    Release,
    StaffRecord,
)
from offcampus_rules.facts.institution import LIST_CHANGE, RISK
from offcampus_rules.facts.money import REFUND_REFUSAL, RELEASE
from offcampus_rules.facts.selling import CHARGE, COURSE
from offcampus_rules.facts.teaching import CONSUMPTION, LESSON, STAFF
from offcampus_rules.facts.vocabulary import Fact

VOCABULARY: Mapping[str, Mapping[str, Fact]] = {
    "charge": CHARGE,
    "course": COURSE,
    "lesson": LESSON,
    "staff": STAFF,
    "consumption": CONSUMPTION,
    "release": RELEASE,
    "refund_refusal": REFUND_REFUSAL,
    "list_change": LIST_CHANGE,
    "risk": RISK,
}

CONTEXTS: Mapping[str, type[Any]] = {
    "charge": Charge,
    "course": CourseFiling,
    "lesson": LessonPlan,
    "staff": StaffRecord,
    "consumption": Consumption,
    "release": Release,
    "refund_refusal": RefundRefusal,
    "list_change": ListChange,
    "risk": InstitutionWindow,
}

__all__ = ["CONTEXTS", "VOCABULARY", "Fact"]
