"""What the contract promises alike for many operations: one check per operation and family, one definition for both
what is sent and how it is judged.
"""

from __future__ import annotations

from offcampus_conformance.families.answers import ANSWER, PROBLEM
from offcampus_conformance.families.bodies import BODY
from offcampus_conformance.families.caller import CALLER, SIGN
from offcampus_conformance.families.family import Family
from offcampus_conformance.families.inputs import FOUND, INPUT
from offcampus_conformance.families.owning import OWN
from offcampus_conformance.families.paging import PAGE
from offcampus_conformance.families.repetition import COND, ETAG, EXISTS, EXT, IDEM, REF, STATE
from offcampus_conformance.families.schema import SCHEMA

READ_BY: dict[str, tuple[str, ...]] = {
    "P-BODY-createInstitution": ("P-JSON-001", "P-JSON-002"),
    "P-CALLER-listInstitutions": ("P-AUTH-004",),
    "P-COND-updateInstitution": ("P-COND-001",),
    "P-ETAG-getInstitution": ("P-COND-001",),
    "P-FOUND-getInstitution": ("P-AUTH-006",),
    "P-IDEM-createInstitution": ("P-IDEM-001",),
    "P-INPUT-listInstitutions": ("P-JSON-002",),
    "P-OWN-getInstitution": ("P-AUTH-006",),
    "P-PAGE-listLessons": ("P-PAGE-001",),
    "P-SIGN-createCampus": ("P-SIGN-001",),
    "P-STATE-confirmConsumption": ("P-CONS-002",),
}
"""Check of a family -> the checks by hand that read its probes too: these are sent for them as well."""

FAMILIES: tuple[Family, ...] = (
    ANSWER, PROBLEM, CALLER, SIGN, BODY, INPUT, FOUND, OWN, SCHEMA, EXT, REF, IDEM, COND, EXISTS, STATE, ETAG, PAGE,
)  # fmt: skip
