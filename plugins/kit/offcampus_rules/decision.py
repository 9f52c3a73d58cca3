"""What the rules answer: values with their source, decisions with their reasons (M-14.1, M-25.1).

Invariants
- A refusal names at least one violation, and every violation cites a document: an unexplained refusal cannot be built.
- An `allow` carries no violation; an `error` or `hold` names the plugin or fact that caused it (`alarms`).
- Violations and values are ordered and without repetition, so that the order of plugins cannot be seen.
- What every case makes anew (violations, decisions) are structs of msgspec: as frozen as the rest, and made in a fifth
  of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from offcampus_rules import digests
from offcampus_rules.context.scope import Facts
from offcampus_rules.daysets import DaySet
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table

Outcome = Literal["allow", "refuse", "hold", "error"]
DecisionKind = Literal[
    "charge", "course", "lesson", "staff", "consumption", "release", "refund_refusal", "list_change", "risk"
]
Level = Literal["nation", "province", "city", "county"]
LEVELS: Mapping[Level, int] = {"nation": 0, "province": 1, "city": 2, "county": 3}
Confidence = Literal["official", "reported", "draft", "memory"]
Raw = int | str | bool | tuple[str, ...] | Table | Schedule | DaySet | None
"""A parameter's value as written in its file (hours, fen, "20:30", a list of options, a table, a release schedule, a
calendar); None: not regulated here."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a value stands in the law. `confidence` says how the text was seen: `official` or only `reported`."""

    document: str
    number: str | None = None
    article: str | None = None
    url: str | None = None
    confidence: Confidence = "reported"

    def to_json(self) -> dict[str, Any]:
        return _without_none(
            document=self.document, number=self.number, article=self.article, url=self.url, confidence=self.confidence
        )

    def __str__(self) -> str:
        return " ".join(part for part in (self.document, self.number, self.article) if part)


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter's effective value at a place and date; `value` None: not regulated here (`reason_if_none`)."""

    parameter: str
    value: Raw
    unit: str
    level: Level | None
    region: str | None
    since: date | None
    until: date | None
    source: Citation | None
    confidence: Confidence | None
    reason_if_none: str | None = None
    reason_if_none_zh: str | None = None
    of: str | None = None
    """The unit of a table's cells."""
    measured_by: Literal["taught", "elapsed"] | None = None
    """What a release schedule's shares of the course are shares of."""

    def at(self, **coordinates: int | str) -> Value:
        """A table's value at a point, with the table's source; its value is None where no row answers.

        `at(class_size=12, area="urban")`. Raises TypeError when this is no table, KeyError for other axes than its own.
        A table that is itself not regulated here answers as it stands.
        """
        if self.value is None:
            return self
        if not isinstance(self.value, Table):
            raise TypeError(f"{self.parameter} is no table")
        row = self.value.row(**coordinates)
        if row is not None and row.value is not None:
            return replace(self, value=row.value, unit=self.of or "count", of=None)
        place = ", ".join(f"{name} {item}" for name, item in coordinates.items())
        return replace(
            self,
            value=None,
            unit=self.of or "count",
            of=None,
            reason_if_none=f"the table has no value for {place}",
            reason_if_none_zh=f"表格对 {place} 未作规定",
        )

    def to_json(self) -> dict[str, Any]:
        """The value as the standard writes it; it is spelt once, since every decision of a place rests on the same."""
        known = _SPELT.get(id(self))
        if known is None or known[0] is not self:
            if len(_SPELT) >= _SPELT_LIMIT:
                _SPELT.clear()
            known = _SPELT[id(self)] = self, self._document()
        document = dict(known[1])
        if "source" in document:
            document["source"] = dict(document["source"])
        return document

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"parameter": self.parameter, "value": plain_raw(self.value), "unit": self.unit}
        return document | _without_none(
            of=self.of,
            measured_by=self.measured_by,
            level=self.level,
            region=self.region,
            since=self.since and self.since.isoformat(),
            until=self.until and self.until.isoformat(),
            citation=self.source and str(self.source),
            source=self.source and self.source.to_json(),
            confidence=self.confidence,
            reason_if_none=self.reason_if_none,
            reason_if_none_zh=self.reason_if_none_zh,
        )


_SPELT_LIMIT = 8192
_SPELT: dict[int, tuple[Value, dict[str, Any]]] = {}
"""By identity, which costs nothing to look up; the value is kept, so that its identity stays its own."""


class Violation(msgspec.Struct, frozen=True, gc=False):
    """One rule that is broken: what was given, what is allowed, who says so, what to do. Texts in zh-CN and English."""

    code: str
    rule: str
    requirement: str
    fact: str
    given: str
    allowed: str
    citation: Citation
    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str
    level: Level
    region: str
    pointer: str | None = None
    """The member of the request a sender would change, where there is one."""

    def __post_init__(self) -> None:
        if not isinstance(self.citation, Citation) or not self.citation.document:
            raise ValueError(f"a violation cites a document; {self.rule} does not")
        if not (self.message_zh and self.message_en and self.remedy_zh and self.remedy_en):
            raise ValueError(f"a violation is explained in both languages; {self.rule} is not")

    def to_json(self) -> dict[str, Any]:
        return _without_none(pointer=self.pointer) | {
            "code": self.code,
            "rule": self.rule,
            "requirement": self.requirement,
            "fact": self.fact,
            "given": self.given,
            "allowed": self.allowed,
            "citation": str(self.citation),
            "confidence": self.citation.confidence,
            "source": self.citation.to_json(),
            "message_zh": self.message_zh,
            "message_en": self.message_en,
            "remedy_zh": self.remedy_zh,
            "remedy_en": self.remedy_en,
            "level": self.level,
            "region": self.region,
        }


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that must follow a decision. `due_at` is half-open: at that instant the time has run out."""

    code: str
    rule: str
    requirement: str
    due_at: datetime | None
    citation: Citation
    text_zh: str
    text_en: str

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "rule": self.rule,
            "requirement": self.requirement,
            "due_at": self.due_at and self.due_at.isoformat(),
            "citation": str(self.citation),
            "source": self.citation.to_json(),
            "text_zh": self.text_zh,
            "text_en": self.text_en,
        }


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A rule that could not be judged, and why: silence would look like a pass."""

    rule: str
    reason_zh: str
    reason_en: str

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "reason_zh": self.reason_zh, "reason_en": self.reason_en}


@dataclass(frozen=True, slots=True)
class ExceptionApplied:
    """A national exception that lifted rules which the case would have broken, and the local text that uses it."""

    id: str
    title_zh: str
    title_en: str
    rules: tuple[str, ...]
    region: str
    basis: Citation
    source: Citation

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "rules": list(self.rules),
            "region": self.region,
            "basis": str(self.basis),
            "source": str(self.source),
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """A plugin that failed: who, where, and the kind of failure (never the plugin's own text, which may hold data)."""

    plugin: str
    hook: str
    problem: str

    def to_json(self) -> dict[str, Any]:
        return {"plugin": self.plugin, "hook": self.hook, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin that took part: whose rules it carries, the distribution they came in, the digest of its content."""

    jurisdiction: str
    distribution: str
    version: str
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {
            "jurisdiction": self.jurisdiction,
            "distribution": self.distribution,
            "version": self.version,
            "digest": self.digest,
        }


class Decision(msgspec.Struct, frozen=True):
    """The answer of a gate. Raises ValueError when it would be unexplained or contradict itself."""

    outcome: Outcome
    kind: DecisionKind
    violations: tuple[Violation, ...]
    obligations: tuple[Obligation, ...]
    values: tuple[Value, ...]
    governing_date: date
    ruleset_digest: str
    plugins: tuple[PluginInfo, ...]
    facts: Facts
    """What was judged: the frozen case."""
    not_evaluated: tuple[NotEvaluated, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    exceptions_applied: tuple[ExceptionApplied, ...] = ()
    advised: tuple[Violation, ...] = ()
    """What plugins in advisory mode would refuse as well; it refuses nothing."""

    def __post_init__(self) -> None:
        if self.outcome == "allow":
            if self.violations or self.alarms:
                raise ValueError("what is allowed has no violation and no alarm")
        elif self.outcome == "refuse":
            if not self.violations:
                raise ValueError("a refusal names at least one violation")
        elif not self.alarms:
            raise ValueError(f"the outcome {self.outcome!r} names what failed")

    @property
    def facts_digest(self) -> str:
        """The digest of what was judged, made when it is asked for: it costs as much as the judging."""
        return digests.digest(self.facts)

    def to_json(self) -> dict[str, Any]:
        """The decision as the standard writes it (schema `decision`), without the id that storing it gives."""
        return self._document(_listed, self.facts_digest)

    def stored(self, **more: Any) -> tuple[bytes, bytes]:
        """The document, with members that the storer adds, and the facts, both in UTF-8 as they are kept.

        What the decisions of a place share is written once; the digest in the document is that of the facts' bytes.
        """
        facts = digests.canonical(self.facts)
        return _ENCODER.encode(self._document(_written_once, digests.of_bytes(facts)) | more), facts

    def _document(self, shared: Callable[[tuple[Any, ...]], Any], facts_digest: str) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "kind": self.kind,
            "ruleset_digest": self.ruleset_digest,
            "plugins": shared(self.plugins),
            "violations": _listed(self.violations),
            "values": shared(self.values),
            "obligations": _listed(self.obligations),
            "not_evaluated": _listed(self.not_evaluated),
            "alarms": _listed(self.alarms),
            "exceptions_applied": _listed(self.exceptions_applied),
            **({"advised": _listed(self.advised)} if self.advised else {}),
            "governing_date": self.governing_date.isoformat(),
            "facts_digest": facts_digest,
        }


def _listed(items: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [item.to_json() for item in items]


_ENCODER = msgspec.json.Encoder()
_WRITTEN: dict[int, tuple[tuple[Any, ...], msgspec.Raw]] = {}
"""By identity, as `_SPELT`: a screen hands out the same tuple of values for all its cases."""


def _written_once(items: tuple[Any, ...]) -> msgspec.Raw:
    known = _WRITTEN.get(id(items))
    if known is None or known[0] is not items:
        if len(_WRITTEN) >= _SPELT_LIMIT:
            _WRITTEN.clear()
        known = _WRITTEN[id(items)] = items, msgspec.Raw(_ENCODER.encode(_listed(items)))
    return known[1]


@dataclass(frozen=True, slots=True)
class Deadline:
    """When silence has run out. `due_at` None: the clock has not started, or nothing is regulated (see `working`).

    `due_at` is half-open: a step taken before it is in time. `provisional`: a year without holiday notice was crossed;
    compute again when the notice is loaded.
    """

    due_at: datetime | None
    provisional: bool
    working: tuple[str, ...]
    value: Value
    working_zh: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What binds a refund: when it must be paid, when the institution's silence means consent, whether it is full.

    `amount_fen` is worked out when the request tells the hours bought; None: not asked, or not regulated (`working`).
    `due_at` None: no deadline is regulated here; the value in `values` says why. Both instants are half-open.
    """

    due_at: datetime | None
    silence_due_at: datetime | None
    full: bool
    provisional: bool
    working: tuple[str, ...]
    values: tuple[Value, ...]
    working_zh: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = field(default=())
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The answer to a value question. `result` None: not regulated here (the working says what is not)."""

    question: str
    result: Mapping[str, Any] | None = field(hash=False)
    working: tuple[str, ...]
    working_zh: tuple[str, ...]
    values: tuple[Value, ...]
    alarms: tuple[Alarm, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "result": self.result,
            "working": list(self.working),
            "working_zh": list(self.working_zh),
            "values": [item.to_json() for item in self.values],
            "alarms": [item.to_json() for item in self.alarms],
        }


def plain_raw(value: Raw) -> Any:
    """A value in JSON, as a parameter file writes it."""
    if isinstance(value, tuple):
        return list(value)
    return value.to_json() if isinstance(value, (Table, Schedule, DaySet)) else value


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
