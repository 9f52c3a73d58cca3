"""What a hook may return: figures and names, never sentences; each names the parameter whose source is cited.

There is no constructor for "allow" or "waive": a finding adds, a proposal is met with what data says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from offcampus_rules.context import ListStatus
from offcampus_rules.rules import Comparison
from offcampus_rules.units import FactUnit, FactValue, Limit

MAX_FINDINGS = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What a gate found: the sentences come from the catalogue under `code`."""

    rule: str
    code: str
    requirement: str
    fact: str
    given: FactValue
    allowed: Limit
    unit: FactUnit
    must_be: Comparison
    parameter: str


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last day of a deadline, counted by the rule of `parameter`."""

    day: date
    parameter: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of money by the rule of `parameter`."""

    amount_fen: int
    parameter: str


@dataclass(frozen=True, slots=True)
class RefundProposal:
    """What goes back, and by when; None: no opinion."""

    parameter: str
    amount_fen: int | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """From `day` on (None: at once, lesson by lesson) at most `share_ppm` of the price may have left custody."""

    day: date
    share_ppm: int


@dataclass(frozen=True, slots=True)
class PlanProposal:
    """A cumulative schedule: days and shares rise."""

    steps: tuple[PlanStep, ...]
    parameter: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A sign of risk: which figure, against what, how grave (1 to 5)."""

    id: str
    fact: str
    given: FactValue
    limit: Limit
    unit: FactUnit
    severity: int
    parameter: str


@dataclass(frozen=True, slots=True)
class CreditFactor:
    """Points of a factor that the figures alone do not give."""

    id: str
    score_ppm: int
    parameter: str


@dataclass(frozen=True, slots=True)
class ListProposal:
    """A list status somebody should look at; nothing changes by itself."""

    to: ListStatus
    parameter: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field a province asks for: a JSON Schema under `x-<province>`; with `"x-published": true` it is published."""

    namespace: str
    name: str
    schema: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class WarningLevel:
    """A level of warning: from how many points, its names, and the parameter whose source says so.

    `order` rises with gravity; the points of a window are the sum of its signs' severities.
    """

    id: str
    order: int
    from_points: int
    title_zh: str
    title_en: str
    parameter: str


Severity = Literal[1, 2, 3, 4, 5]
