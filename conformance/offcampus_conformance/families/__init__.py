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

FAMILIES: tuple[Family, ...] = (
    ANSWER, PROBLEM, CALLER, SIGN, BODY, INPUT, FOUND, OWN, SCHEMA, EXT, REF, IDEM, COND, EXISTS, STATE, ETAG, PAGE,
)  # fmt: skip
