"""Refusing what breaks its schema: the standard's violations as a problem."""

from __future__ import annotations

import jsonschema_rs
from offcampus_spec.violations import code_of
from offcampus_spec.violations import violations as violations

from offcampus_server.kernel.problems import JsonObject, Problem


def check(validator: jsonschema_rs.Draft202012Validator, value: object, prefix: str = "") -> None:
    """Raise `schema.invalid` (or `identifier.check_digit` where that is all) when a value breaks its schema."""
    if not validator.is_valid(value):
        raise refusal(violations(validator.iter_errors(value), prefix))


def refusal(found: list[JsonObject]) -> Problem:
    """The problem for these violations."""
    places = ", ".join(str(entry.get("pointer") or "/") for entry in found[:5])
    return Problem(code_of(found), f"{len(found)} violation(s), at {places}", found)
