"""National exceptions: the only thing that lifts a national rule, declared by the nation, activated by a locality.

Invariants
- A declaration stands in the national plugin alone: its basis, the national rules it lifts, its conditions on facts.
- An activation says where and when it is used, by which text; it reaches no further than its own region.
- What a level below the activating region demands by itself stays: a province's activation lifts the nation's and the
  province's limits, not a city's.
- Drafts and memories activate nothing. Conditions that meet an untold fact do not hold, so that the rule is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from offcampus_rules.context import GovernedBy, Scope
from offcampus_rules.decision import Citation, Confidence
from offcampus_rules.errors import FileProblem
from offcampus_rules.facts import VOCABULARY
from offcampus_rules.nearest import known_or_near
from offcampus_rules.parameters import BINDING_CONFIDENCES, NATION, Cell, Parameter, cells_of, citation, day, within
from offcampus_rules.rules import Condition, Rule, conditions_of
from offcampus_rules.validation import valid_shape
from offcampus_rules.yaml12 import Document, Path12


@dataclass(frozen=True, slots=True)
class NationalException:
    """What lifts rules, and when; `governed_by` names the date that must lie in its time and an activation's."""

    id: str
    title_zh: str
    title_en: str
    lifts: tuple[str, ...]
    conditions: tuple[Condition, ...]
    governed_by: GovernedBy
    since: date
    until: date | None
    confidence: Confidence
    basis: Citation


@dataclass(frozen=True, slots=True)
class Activation:
    """Where and when a locality uses an exception."""

    exception: str
    region: str
    cells: frozenset[Cell]
    since: date
    until: date | None
    confidence: Confidence
    source: Citation
    path: Path12

    def reaches(self, scope: Scope, on: date) -> bool:
        return (
            within(scope.region, self.region)
            and (scope.sector, scope.stage, scope.delivery) in self.cells
            and self.since <= on
            and (self.until is None or on < self.until)
        )


@dataclass(frozen=True, slots=True)
class ExceptionFile:
    """A declaration, or a locality's activations."""

    declared: NationalException | None
    activations: tuple[Activation, ...]
    document: Document


def active(
    known: Mapping[str, NationalException], activations: Iterable[Activation], rule: str, scope: Scope, dates: Any
) -> Iterator[tuple[NationalException, Activation]]:
    """The exceptions that may lift a rule at a place and date, each with the activation that makes it so."""
    for activation in activations:
        exception = known[activation.exception]
        on = dates[exception.governed_by]
        in_force = exception.since <= on and (exception.until is None or on < exception.until)
        if rule in exception.lifts and in_force and activation.reaches(scope, on):
            yield exception, activation


def binds(item: NationalException | Activation) -> bool:
    return item.confidence in BINDING_CONFIDENCES


def read(document: Document, jurisdiction: str) -> tuple[ExceptionFile | None, tuple[FileProblem, ...]]:
    """Read a file of `exceptions/`. What it names is checked when all plugins are known (`check`)."""
    if problems := valid_shape(document, "exceptions"):
        return None, problems
    content = cast("dict[str, Any]", document.content)
    if "exception" in content:
        return _activations(content, document, jurisdiction)
    found = list(_dates(content, document, ()))
    if jurisdiction != NATION:
        en = "only the nation declares an exception; a locality activates one: exception, region, activations"
        zh = "例外只能由国家层面声明；地方仅可启用：exception、region、activations"
        found.append(document.problem(("id",), "R-EXC", en, zh))
    return ExceptionFile(_declared(content), (), document), tuple(found)


def _declared(content: dict[str, Any]) -> NationalException:
    return NationalException(
        id=content["id"],
        title_zh=content["title"]["zh"],
        title_en=content["title"]["en"],
        lifts=tuple(content["lifts"]),
        conditions=conditions_of(content),
        governed_by=content["governed_by"],
        since=date.fromisoformat(content["from"]),
        until=day(content.get("until")),
        confidence=content["confidence"],
        basis=_cited(content["basis"], content["confidence"]),
    )


def _activations(
    content: dict[str, Any], document: Document, jurisdiction: str
) -> tuple[ExceptionFile, tuple[FileProblem, ...]]:
    region, problems = content["region"], []
    if not within(region, jurisdiction):
        en = f"region {region} lies outside {jurisdiction}, for which this plugin speaks"
        problems.append(document.problem(("region",), "R-SCOPE", en, f"区域 {region} 不在本插件辖区 {jurisdiction} 内"))
    found: list[Activation] = []
    for index, item in enumerate(content["activations"]):
        path: Path12 = ("activations", index)
        problems.extend(_dates(item, document, path))
        found.append(
            Activation(
                exception=content["exception"],
                region=region,
                cells=cells_of(item.get("scope", {})),
                since=date.fromisoformat(item["from"]),
                until=day(item.get("until")),
                confidence=item["confidence"],
                source=_cited(item["source"], item["confidence"]),
                path=path,
            )
        )
    return ExceptionFile(None, tuple(found), document), tuple(problems)


def _cited(source: dict[str, str], confidence: Confidence) -> Citation:
    cited = citation(source, confidence)
    assert cited is not None
    return cited


def _dates(item: dict[str, Any], document: Document, path: Path12) -> Iterator[FileProblem]:
    since, until, published = (day(item.get(name)) for name in ("from", "until", "published"))
    if since and until and until <= since:
        en, zh = f"until {until} is not after from {since} (until is exclusive)", f"失效日 {until} 须晚于生效日 {since}"
        yield document.problem((*path, "until"), "R-DATE", en, zh)
    if since and published and since < published and not item.get("retroactive"):
        en = f"in force from {since}, published only on {published}; if that is so, add retroactive: true"
        zh = f"生效日 {since} 早于公布日 {published}；确实如此的，请写 retroactive: true"
        yield document.problem((*path, "from"), "R-DATE", en, zh)


def check(
    file: ExceptionFile,
    known: Mapping[str, NationalException],
    rules: Mapping[str, Rule],
    parameters: Mapping[str, Parameter],
) -> Iterator[FileProblem]:
    """Whether all that a file names exists and can be lifted; a locality lifts nothing by itself."""
    if file.declared is not None:
        yield from _check_declared(file, file.declared, rules, parameters)
    for item in file.activations:
        exception = known.get(item.exception)
        if exception is None:
            near_en, near_zh = known_or_near(item.exception, known)
            en = f"the nation declares no exception {item.exception}; {near_en}"
            zh = f"国家层面未声明例外 {item.exception}；{near_zh}"
            yield file.document.problem(("exception",), "R-EXC", en, zh)
            return
        ended = exception.until is not None and item.since >= exception.until
        if ended or (item.until is not None and item.until <= exception.since):
            en = f"{exception.id} is in force from {exception.since} until {exception.until}: this never applies"
            zh = f"{exception.id} 的有效期为 {exception.since} 至 {exception.until}，此启用不会生效"
            yield file.document.problem(item.path, "R-UNREACH", en, zh)


def overlaps(files: Iterable[ExceptionFile], others: Iterable[ExceptionFile]) -> Iterator[FileProblem]:
    """An exception activated twice for one place, time and kind of training: which text holds, nobody could say."""
    seen = [(item, file.document) for file in others for item in file.activations]
    for file in files:
        for item in file.activations:
            for other, document in seen:
                if _meet(item, other):
                    place = f"{document.file.name}:{document.position(other.path).line}"
                    en = f"{item.exception} is active in {item.region} at the same time by {place}"
                    zh = f"{item.exception} 在 {item.region} 的启用与 {place} 时间重叠"
                    yield file.document.problem(item.path, "R-OVERLAP", en, zh)
            seen.append((item, file.document))


def _meet(one: Activation, other: Activation) -> bool:
    return (
        (one.exception, one.region) == (other.exception, other.region)
        and bool(one.cells & other.cells)
        and (other.until is None or one.since < other.until)
        and (one.until is None or other.since < one.until)
    )


def _check_declared(
    file: ExceptionFile, exception: NationalException, rules: Mapping[str, Rule], parameters: Mapping[str, Parameter]
) -> Iterator[FileProblem]:
    for index, name in enumerate(exception.lifts):
        rule = rules.get(name)
        if rule is None or rule.jurisdiction != NATION:
            en, zh = f"{name} is no rule of the nation's", f"{name} 不是国家层面的规则"
            yield file.document.problem(("lifts", index), "R-NAME", en, zh)
            continue
        for condition in exception.conditions:
            for gate in rule.gates:
                if condition.fact not in VOCABULARY[gate]:
                    en = f"{condition.fact} is no fact of the gate {gate}, where {name} is judged"
                    zh = f"{condition.fact} 不是 {gate} 关口的事实，而 {name} 在该关口判定"
                    yield file.document.problem(("when", condition.fact), "R-NAME", en, zh)
    for condition in exception.conditions:
        if condition.parameter is not None and condition.parameter not in parameters:
            en, zh = f"{condition.parameter} is no parameter", f"{condition.parameter} 不是已知的参数"
            yield file.document.problem(("when", condition.fact), "R-NAME", en, zh)
