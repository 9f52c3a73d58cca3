"""What plugins declare once, at load: fields of a province's extension and levels of warning, put together or refused.

Invariants
- A field stands in the plugin's own namespace or in one of a plugin above it; told twice, it is told alike.
- Levels of one place have one order: by `order`, with rising points, whoever declares them; what a parameter file names
  in `warning.levels` is found among them in the same order.
- A conflict keeps the later plugin out, with both places: the nation's and the province's stand, the city's does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
from offcampus_spec.schemas import compile_schema

from offcampus_rules import code_reading
from offcampus_rules.decision import Value
from offcampus_rules.errors import FileProblem, Position
from offcampus_rules.findings import FieldSpec, WarningLevel
from offcampus_rules.parameters import Entry, within
from offcampus_rules.plugin import NAMESPACE, Plugin

LEVELS = "warning.levels"
_PUBLISHED = "x-published"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an extension: where it stands, and whether what is sent in it is published."""

    namespace: str
    name: str
    schema: Mapping[str, Any]
    plugin: str
    jurisdiction: str
    file: Path
    position: Position

    @property
    def published(self) -> bool:
        return self.schema.get(_PUBLISHED) is True

    @property
    def place(self) -> str:
        return f"{self.file.name}:{self.position.line} of {self.plugin}"


@dataclass(frozen=True, slots=True)
class DeclaredLevel:
    """A level of warning as a plugin declares it, for its own region and below."""

    level: WarningLevel
    plugin: str
    jurisdiction: str
    file: Path
    position: Position

    @property
    def place(self) -> str:
        return f"{self.file.name}:{self.position.line} of {self.plugin}"


@dataclass(frozen=True, slots=True)
class LevelHere:
    """A level that holds at a place and date. `from_points` None: it is reached by the parameters' table only."""

    id: str
    rests_on: Value
    from_points: int | None = None
    title_zh: str = ""
    title_en: str = ""


def fields(plugin: Plugin) -> tuple[Field, ...]:
    """The fields of a plugin's extension files and of its Python."""
    return (*_in_files(plugin), *_in_python(plugin))


def levels(plugin: Plugin) -> tuple[DeclaredLevel, ...]:
    """The levels that a plugin's Python declares, lowest first."""
    if plugin.code is None:
        return ()
    file, at = code_reading.defined(plugin.root, "warning_levels")
    declared: Sequence[WarningLevel] = plugin.code.declared.get("warning_levels", ())
    ordered = sorted(declared, key=lambda item: item.order)
    return tuple(DeclaredLevel(item, plugin.info.distribution, plugin.jurisdiction, file, at) for item in ordered)


def schemas(plugins: Iterable[Plugin]) -> dict[str, Any]:
    """The extensions' JSON Schemas by namespace, with the fields that Python adds."""
    found: dict[str, Any] = {}
    added: list[Field] = []
    for plugin in plugins:
        found.update(plugin.extensions)
        added.extend(_in_python(plugin))
    for field in added:
        whole = found.get(field.namespace, _EMPTY)
        known = whole.get("properties", {})
        found[field.namespace] = {**whole, "properties": {**known, field.name: dict(field.schema)}}
    return found


_EMPTY: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
}


def clashes(
    plugin: Plugin, above: Sequence[Plugin], entries: Sequence[Entry], names: frozenset[str]
) -> Iterator[FileProblem]:
    """Why a plugin's declarations do not fit with each other, with those above, or with what `warning.levels` says.

    `entries` are those of `warning.levels`, this plugin's included; `names` are the parameters that are defined.
    """
    yield from _field_clashes(plugin, above)
    mine = levels(plugin)
    yield from _level_clashes(mine, [level for other in above for level in levels(other)], names)
    for entry in entries:
        for level_set in _speaking(entry, [*above, plugin]):
            if entry.file.is_relative_to(plugin.root) or level_set[0].jurisdiction == plugin.jurisdiction:
                yield from _against_data(entry, level_set, plugin)


def here(
    declared: Iterable[DeclaredLevel], region: str, look: Callable[[str], Value], data: Value
) -> tuple[LevelHere, ...]:
    """The levels of a place, lowest first: those declared above it whose parameter is regulated, and the data's own."""
    speaking = {item.level.id: item.level for item in declared if within(region, item.jurisdiction)}
    found = [
        LevelHere(item.id, value, item.from_points, item.title_zh, item.title_en)
        for item in sorted(speaking.values(), key=lambda level: level.order)
        if (value := look(item.parameter)).value is not None
    ]
    known = {item.id for item in found}
    named = data.value if isinstance(data.value, tuple) else ()
    return (*found, *(LevelHere(name, data) for name in named if name not in known))


def gravest(known: Sequence[LevelHere], named: str | None, points: int) -> str | None:
    """The higher of the level the parameters' table names and the one that so many points reach."""
    order = [item.id for item in known]
    reached = [item.id for item in known if item.from_points is not None and points >= item.from_points]
    candidates = [name for name in (named, *reached[-1:]) if name is not None]
    return max(candidates, key=lambda name: order.index(name) if name in order else -1, default=None)


def _in_files(plugin: Plugin) -> Iterator[Field]:
    for namespace, schema in plugin.extensions.items():
        file = plugin.root / "extensions" / f"{namespace}.json"
        for name, inner in schema.get("properties", {}).items():
            yield Field(
                namespace, name, inner, plugin.info.distribution, plugin.jurisdiction, file, _line(file, name)
            )  # fmt: skip


def _line(file: Path, name: str) -> Position:
    """The line of a member; the file was read as JSON already."""
    lines = file.read_text(encoding="utf-8").splitlines()
    key = re.compile(rf"\s*{re.escape(json.dumps(name, ensure_ascii=False))}\s*:")
    return next((Position(number, 1) for number, text in enumerate(lines, 1) if key.match(text)), Position(1, 1))


def _in_python(plugin: Plugin) -> Iterator[Field]:
    if plugin.code is None:
        return
    file, position = code_reading.defined(plugin.root, "disclosure_fields")
    declared: Sequence[FieldSpec] = plugin.code.declared.get("disclosure_fields", ())
    for item in declared:
        name = plugin.info.distribution
        yield Field(item.namespace, item.name, item.schema, name, plugin.jurisdiction, file, position)


def _field_clashes(plugin: Plugin, above: Sequence[Plugin]) -> Iterator[FileProblem]:
    taken = {namespace: other for other in above for namespace in other.extensions}
    for other in above:
        taken.update((field.namespace, other) for field in _in_python(other) if field.namespace not in taken)
    seen = {(field.namespace, field.name): field for other in above for field in fields(other)}
    for field in _in_files(plugin):
        seen.setdefault((field.namespace, field.name), field)
    for field in _in_python(plugin):
        owner = taken.get(field.namespace)
        known = seen.setdefault((field.namespace, field.name), field)
        if not NAMESPACE.fullmatch(field.namespace):
            en, zh = f"{field.namespace} is not x-<province>", f"{field.namespace} 须为 x-<省份>"
            yield _problem(field, "R-EXT", en, zh)
        elif owner is not None and not within(plugin.jurisdiction, owner.jurisdiction):
            en = f"the namespace {field.namespace} belongs to {owner.info.distribution}"
            yield _problem(field, "R-NAME", en, f"命名空间 {field.namespace} 属于 {owner.info.distribution}")
        elif known.schema != field.schema:
            en = f"{field.namespace} {field.name} is said otherwise at {known.place}"
            yield _problem(field, "R-NAME", en, f"{field.namespace} 的 {field.name} 与 {known.place} 所述不一致")
        else:
            yield from _no_schema(field)


def _no_schema(field: Field) -> Iterator[FileProblem]:
    try:
        compile_schema({"allOf": [dict(field.schema)]})
    except (ValueError, jsonschema_rs.ValidationError) as error:
        en, zh = f"{field.name} is no JSON Schema: {error}", f"{field.name} 不是合法的 JSON Schema"
        yield _problem(field, "R-EXT", en, zh)


def _level_clashes(
    mine: Sequence[DeclaredLevel], above: Sequence[DeclaredLevel], names: frozenset[str]
) -> Iterator[FileProblem]:
    near = [item for item in above if mine and within(mine[0].jurisdiction, item.jurisdiction)]
    known: list[DeclaredLevel] = list(near)
    for item in mine:
        same = next((other for other in known if other.level.id == item.level.id), None)
        if item.level.parameter not in names:
            en, zh = f"{item.level.parameter} is no parameter", f"{item.level.parameter} 不是已知的参数"
            yield _problem(item, "R-NAME", f"the level {item.level.id}: {en}", f"等级 {item.level.id}：{zh}")
        elif same is not None:
            if same.level != item.level:
                en = f"the level {item.level.id} is said otherwise at {same.place}"
                yield _problem(item, "R-NAME", en, f"等级 {item.level.id} 与 {same.place} 所述不一致")
        elif other := next((other for other in known if _crosses(other.level, item.level)), None):
            en = (
                f"the levels {other.level.id} ({other.place}) and {item.level.id} do not rise in order and points alike"
            )
            zh = f"等级 {other.level.id}（{other.place}）与 {item.level.id} 的顺序与分值不一致"
            yield _problem(item, "R-NAME", en, zh)
        known.append(item)


def _crosses(one: WarningLevel, other: WarningLevel) -> bool:
    return (one.order - other.order) * (one.from_points - other.from_points) <= 0


def _speaking(entry: Entry, plugins: Sequence[Plugin]) -> Iterator[tuple[DeclaredLevel, ...]]:
    """The declared levels that meet an entry of `warning.levels` somewhere."""
    if not entry.binds or not isinstance(entry.value, tuple):
        return
    for plugin in plugins:
        declared = levels(plugin)
        near = within(entry.region, plugin.jurisdiction) or within(plugin.jurisdiction, entry.region)
        if declared and near:
            yield declared


def _against_data(entry: Entry, declared: tuple[DeclaredLevel, ...], plugin: Plugin) -> Iterator[FileProblem]:
    """What a file names stands among the declared levels, in their order: else nobody knows which is graver."""
    order = [item.level.id for item in declared]
    named = list(entry.value) if isinstance(entry.value, tuple) else []
    places = [order.index(name) for name in named if name in order]
    if len(places) == len(named) and places == sorted(places):
        return
    told = f"{', '.join(named)} ({entry.file.name}:{entry.position.line})"
    en = f"{LEVELS} names {told}; {declared[0].place} declares {', '.join(order)}: name levels of these, in this order"
    zh = f"{LEVELS} 为 {told}，而 {declared[0].place} 声明 {'、'.join(order)}：须取自其中且顺序一致"
    if entry.file.is_relative_to(plugin.root):
        yield FileProblem(entry.file, entry.position, "R-NAME", en, zh)
    else:
        yield _problem(declared[0], "R-NAME", en, zh)


def _problem(item: Field | DeclaredLevel, code: str, en: str, zh: str) -> FileProblem:
    return FileProblem(item.file, item.position, code, en, zh)
