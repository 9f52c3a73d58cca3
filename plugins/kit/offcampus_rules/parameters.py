"""Parameters: what the law sets, per place, kind of training, stage, delivery and date, each with its source.

One file holds one parameter: its definition with the nation's values, or a locality's values (`parameter:`, `region:`).
Invariants, each an error with file and line when broken:
- `from` is inclusive, `until` exclusive and later; what is in force before it was published says `retroactive: true`;
- a binding value cites a document; null gives the reason why nothing is regulated here;
- only `official` and `reported` bind; `draft` and `memory` are kept as notes;
- how a parameter binds below, whom it protects and what is stricter is declared once, in its definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

from offcampus_rules import lattice, structured
from offcampus_rules.calendar import MonthEnd
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES, GovernedBy, Scope
from offcampus_rules.decision import Citation, Confidence, Level, Raw
from offcampus_rules.errors import FileProblem, Position
from offcampus_rules.lattice import Stricter
from offcampus_rules.validation import valid_parameter_file
from offcampus_rules.yaml12 import Document, Path12

Binding = Literal["floor", "range", "choice", "default", "delegated"]
Cell = tuple[str, str, str]
"""One combination of sector, stage and delivery."""

BINDING_CONFIDENCES: frozenset[Confidence] = frozenset({"official", "reported"})
NATION = "000000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One dated value as a file states it."""

    parameter: str
    region: str
    level: Level
    cells: frozenset[Cell]
    since: date
    until: date | None
    value: Raw
    unit: str
    confidence: Confidence | None
    source: Citation | None
    reason: tuple[str, str] | None
    file: Path
    position: Position
    options: tuple[str, ...] | None = None
    interval: tuple[int, int] | None = None
    published: date | None = None
    checked_on: date | None = None

    @property
    def binds(self) -> bool:
        """Notes never bind. A null asserts nothing, so that it needs no confidence to be heeded."""
        return self.value is None or self.confidence in BINDING_CONFIDENCES

    def in_force(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on < self.until)

    def covers(self, scope: Scope) -> bool:
        return (scope.sector, scope.stage, scope.delivery) in self.cells


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a table: numbers in bands from `least` on (`bands`: their unit), or named options."""

    name: str
    bands: str | None
    least: int
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter's definition: the legal judgement of how it binds, and its unit.

    `axes` and `of` describe a table, `measured_by` a schedule; `order` lists options from the loosest to the strictest.
    """

    id: str
    title_zh: str
    title_en: str
    unit: str
    binding: Binding
    stricter: Stricter
    protects: str
    governed_by: GovernedBy
    month_end: MonthEnd
    jurisdiction: str
    file: Path
    order: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()
    of: str | None = None
    measured_by: Literal["taught", "elapsed"] | None = None


@dataclass(frozen=True, slots=True)
class ParameterFile:
    """What one file holds: a definition or None (a locality's values), the parameter's id, and the entries."""

    id: str
    definition: Parameter | None
    entries: tuple[Entry, ...]
    document: Document

    @property
    def tables(self) -> tuple[str, ...]:
        """The CSV files beside this one that its values name."""
        values = [item["value"] for item in self.document.content["values"]]
        rows = [value.get("rows") for value in values if isinstance(value, dict)]
        return tuple(item["csv"] for item in rows if isinstance(item, dict))


def level_of(region: str) -> Level:
    """Nation 000000, province xx0000, city xxxx00, else county."""
    if region == NATION:
        return "nation"
    if region.endswith("0000"):
        return "province"
    return "city" if region.endswith("00") else "county"


def chain(region: str) -> tuple[str, ...]:
    """The regions whose rules apply at `region`, from the nation down."""
    steps = (NATION, region[:2] + "0000", region[:4] + "00", region)
    return tuple(dict.fromkeys(steps))


def within(region: str, jurisdiction: str) -> bool:
    return jurisdiction in chain(region)


def read(document: Document, jurisdiction: str) -> tuple[ParameterFile | None, tuple[FileProblem, ...]]:
    """Read one parameter file of a plugin that speaks for `jurisdiction`; the problems are in file order."""
    problems = list(valid_parameter_file(document))
    if problems:
        return None, tuple(problems)
    content = cast("dict[str, Any]", document.content)
    local = "parameter" in content
    name = cast("str", content["parameter"] if local else content["id"])
    region = cast("str", content.get("region", jurisdiction))
    if not within(region, jurisdiction):
        problems.append(
            document.problem(
                ("region",),
                "R-SCOPE",
                f"region {region} lies outside {jurisdiction}, for which this plugin speaks",
                f"区域 {region} 不在本插件辖区 {jurisdiction} 内",
            )
        )
    definition = None if local else _definition(content, jurisdiction, document, problems)
    entries = tuple(
        _entry(item, name, region, content.get("unit"), document, ("values", index), problems)
        for index, item in enumerate(content["values"])
    )
    return ParameterFile(name, definition, entries, document), tuple(problems)


def _definition(
    content: dict[str, Any], jurisdiction: str, document: Document, problems: list[FileProblem]
) -> Parameter:
    unit, stricter = content["unit"], content["stricter"]
    if stricter not in lattice.DIRECTIONS.get(unit, lattice.ORDERED):
        allowed = ", ".join(sorted(lattice.DIRECTIONS.get(unit, lattice.ORDERED)))
        problems.append(
            document.problem(
                ("stricter",),
                "R-UNIT",
                f"{stricter} says nothing about the unit {unit}; allowed: {allowed}",
                f"{stricter} 不适用于单位 {unit}；允许：{allowed}",
            )
        )
    return Parameter(
        id=content["id"],
        title_zh=content["title"]["zh"],
        title_en=content["title"]["en"],
        unit=unit,
        binding=content["binding"],
        stricter=stricter,
        protects=content["protects"],
        governed_by=content["governed_by"],
        month_end=content.get("month_end", "last_day_included"),
        jurisdiction=jurisdiction,
        file=document.file,
        order=tuple(content.get("order", ())),
        axes=tuple(
            Axis(item["name"], item.get("bands"), item.get("least", 0), tuple(item.get("options", ())))
            for item in content.get("axes", ())
        ),
        of=content.get("of"),
        measured_by=content.get("measured_by"),
    )


def _entry(
    item: dict[str, Any],
    name: str,
    region: str,
    unit: str | None,
    document: Document,
    path: Path12,
    problems: list[FileProblem],
) -> Entry:
    since, until = date.fromisoformat(item["from"]), day(item.get("until"))
    if until is not None and until <= since:
        problems.append(
            document.problem(
                (*path, "until"),
                "R-DATE",
                f"until {until} is not after from {since} (until is exclusive)",
                f"失效日 {until} 须晚于生效日 {since}（失效日不含当日）",
            )
        )
    published = day(item.get("published"))
    if published is not None and since < published and not item.get("retroactive"):
        problems.append(
            document.problem(
                (*path, "from"),
                "R-DATE",
                f"in force from {since}, published only on {published}; if that is so, add retroactive: true",
                f"生效日 {since} 早于公布日 {published}；确实如此的，请写 retroactive: true",
            )
        )
    reason = item.get("reason")
    options = item.get("options")
    interval = item.get("range")
    return Entry(
        parameter=name,
        region=region,
        level=level_of(region),
        cells=cells_of(item.get("scope", {})),
        since=since,
        until=until,
        value=structured.value(item["value"], document, (*path, "value"), problems),
        unit=item.get("unit") or unit or "",
        confidence=item.get("confidence"),
        source=citation(item.get("source"), item.get("confidence")),
        reason=(reason["zh"], reason["en"]) if reason else None,
        file=document.file,
        position=document.position(path),
        options=tuple(options) if options else None,
        interval=(interval[0], interval[1]) if interval else None,
        published=published,
        checked_on=day(item.get("checked_on")),
    )


def cells_of(scope: dict[str, list[str]]) -> frozenset[Cell]:
    return frozenset(
        (sector, stage, delivery)
        for sector in scope.get("sector", SECTORS)
        for stage in scope.get("stage", STAGES)
        for delivery in scope.get("delivery", DELIVERIES)
    )


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def citation(source: dict[str, str] | None, confidence: Confidence | None) -> Citation | None:
    return Citation(**source, confidence=confidence or "reported") if source else None
