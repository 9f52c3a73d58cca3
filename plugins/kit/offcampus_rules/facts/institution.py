"""Facts of a list change and of a window of an institution's figures."""

from __future__ import annotations

from dataclasses import fields

from offcampus_rules.context import InstitutionWindow
from offcampus_rules.facts.vocabulary import Fact, told, vocabulary
from offcampus_rules.units import FactUnit

LIST_CHANGE = vocabulary(
    {},
    Fact("before", "option", lambda case: case.before),
    Fact("to", "option", lambda case: case.to),
    Fact("changed_on", "date", lambda case: case.changed_on),
    Fact("removed_on", "date", lambda case: case.removed_on),
    told("rectified", "flag"),
    told("closed", "flag"),
    told("still_selling", "flag"),
    told("told_in_writing", "flag"),
    told("refunds_open", "count"),
    Fact("closure_announced_on", "date", lambda case: case.closure_announced_on),
)

_UNITS: tuple[tuple[str, FactUnit], ...] = (("_fen", "fen"), ("_ppm", "ppm"), ("_changed", "flag"))


def _unit(name: str) -> FactUnit:
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "count")


RISK = vocabulary(
    {},
    *(
        told(field.name, "option" if field.name == "list_status" else _unit(field.name))
        for field in fields(InstitutionWindow)
        if field.name not in ("scope", "since", "until")
    ),
)
