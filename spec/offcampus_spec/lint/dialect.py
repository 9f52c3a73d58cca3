"""The portable schema dialect: what every validator of every vendor reads in the same way.

Two validators disagreed on `\\d`, on a trailing newline, on unknown formats and on floats; what they disagree on is
not used. What parties send is closed and bounded; what the platform answers is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from offcampus_spec import SCHEMA_BASE
from offcampus_spec.formats import FORMATS
from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.keywords import one_language
from offcampus_spec.lint.sources import STANDALONE, Sources
from offcampus_spec.lint.subschemas import BY_NAME, IN_LIST, SINGLE, Part, facts, parts

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KEYWORDS = frozenset(
    {
        *BY_NAME, *IN_LIST, *SINGLE, "$schema", "$id", "$ref", "title", "description", "type", "enum", "const",
        "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems",
        "minProperties", "maxProperties", "required", "default", "examples", "dependentRequired", "minContains",
        "maxContains", "x-title-zh", "x-description-zh", "x-codelist", "x-personal", "x-item-schema", "x-patch-of",
    }
)  # fmt: skip
TELLING = frozenset({"type", "$ref", "enum", "const", "anyOf", "oneOf", "allOf"})
ANYTHING = frozenset({"given", "allowed"})
"""Members that tell back what was sent and what would have been right, whatever that is."""
_FORBIDDEN = re.compile(r"\\[dDwWsSbBpP1-9]|\(\?|\.\*|\.\+")
_SNAKE = re.compile(r"[a-z][a-z0-9_]*")
MONEY = re.compile(r"amount|price|balance|paid|fee(_|$)|total(_|$)|discount")


def check(sources: Sources) -> Iterator[Finding]:
    """Every schema against the dialect."""
    for part in parts(sources):
        yield from _keywords(part)
        yield from _pattern(part)
        if part.file in STANDALONE:
            continue
        yield from _type(part)
        yield from _bounds(part)
        yield from _titles(part)
        yield from _codelist(sources, part)
        yield from _branches(sources, part)
        yield from _name(sources, part)
    for file, node in sources.schemas().items():
        yield from _identity(file, node)


def _keywords(part: Part) -> Iterator[Finding]:
    for name in sorted(part.node.keys() - KEYWORDS):
        rule = "schema.nullable" if name == "nullable" else "schema.keyword"
        yield Finding(part.file, (*part.pointer, name), rule, f"{name!r} is no keyword of the dialect")
    asked = part.node.get("format")
    if asked is not None and asked not in FORMATS:
        yield Finding(part.file, (*part.pointer, "format"), "schema.format", f"nobody asserts the format {asked!r}")
    types = part.node.get("type")
    if "number" in (types if isinstance(types, list) else [types]):
        yield Finding(part.file, (*part.pointer, "type"), "schema.number", "a number may be a float")


def _pattern(part: Part) -> Iterator[Finding]:
    pattern = part.node.get("pattern")
    if not isinstance(pattern, str):
        return
    place = (*part.pointer, "pattern")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield Finding(part.file, place, "schema.pattern", f"{pattern} is not anchored")
    if found := _FORBIDDEN.search(pattern):
        yield Finding(part.file, place, "schema.pattern", f"{found[0]} is not portable")
    try:
        re.compile(pattern)
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (re.error, ValueError) as error:
        yield Finding(part.file, place, "schema.pattern", f"does not compile: {error}")


def _type(part: Part) -> Iterator[Finding]:
    described = part.member or not (part.inside or part.file.startswith("schemas/"))
    if described and not part.conditional and part.member not in ANYTHING and not TELLING & part.node.keys():
        yield Finding(part.file, part.pointer, "schema.type", "it may hold anything")
    if not part.conditional:
        for name, member in part.node.get("properties", {}).items():
            if isinstance(member, bool):
                yield Finding(part.file, (*part.pointer, "properties", name), "schema.type", "it may hold anything")


def _bounds(part: Part) -> Iterator[Finding]:
    node = part.node
    types = node.get("type", [])
    types = [types] if isinstance(types, str) else types
    if part.conditional or "enum" in node or "const" in node:
        return
    wanted = {"string": ("maxLength",), "array": ("maxItems",), "integer": ("minimum", "maximum")}
    for name in types:
        for keyword in wanted.get(name, ()):
            if keyword not in node:
                yield Finding(part.file, part.pointer, "schema.unbounded", f"a {name} without {keyword}")
    if isinstance(node.get("additionalProperties"), dict) and "maxProperties" not in node:
        yield Finding(part.file, part.pointer, "schema.unbounded", "a map without maxProperties")


def _titles(part: Part) -> Iterator[Finding]:
    yield from one_language(part.file, part.pointer, part.node)
    if part.conditional or not part.file.startswith("schemas/"):
        return
    root = not part.inside
    if (root or part.member) and "title" not in part.node and "x-title-zh" not in part.node:
        yield Finding(part.file, part.pointer, "schema.title", "it has no title")
    if root and "description" not in part.node and "x-description-zh" not in part.node:
        yield Finding(part.file, part.pointer, "schema.title", "the schema has no description")


def _codelist(sources: Sources, part: Part) -> Iterator[Finding]:
    node, name = part.node, part.node.get("x-codelist")
    place = (*part.pointer, "x-codelist")
    if name is None:
        if "enum" in node and part.file.startswith("schemas/") and not part.conditional:
            yield Finding(part.file, (*part.pointer, "enum"), "schema.codelist", "an enumeration names no code list")
        return
    about = sources.files.get(f"codelists/{name}.source.yaml")
    if about is None or str(name) not in sources.tables:
        yield Finding(part.file, place, "schema.codelist", f"there is no code list {name!r}")
        return
    codes = [row["code"] for row in sources.tables[name]]
    if about.get("closed", True):
        if node.get("enum") != codes:
            message = f"enum is {node.get('enum')}; the closed list {name} holds {codes}"
            yield Finding(part.file, place, "schema.codelist", message)
    elif "pattern" not in node or not node.get("examples") or any(example not in codes for example in node["examples"]):
        message = f"the open list {name} asks for a pattern and for examples out of it"
        yield Finding(part.file, place, "schema.codelist", message)


def _branches(sources: Sources, part: Part) -> Iterator[Finding]:
    for index, branch in enumerate(part.node.get("oneOf", [])):
        place = (*part.pointer, "oneOf", str(index))
        referred = sources.referred(part.file, branch)
        target = referred[2] if referred else branch if isinstance(branch, dict) else {}
        members = [member for member in target.get("properties", {}).values() if isinstance(member, dict)]
        if "title" not in target or not any("const" in member for member in members):
            yield Finding(part.file, place, "schema.branch", "a branch without title, or without a const to tell it by")


def _name(sources: Sources, part: Part) -> Iterator[Finding]:
    name = part.member
    if name is None or part.conditional:
        return
    fault = _name_fault(sources, part, name)
    if fault:
        yield Finding(part.file, part.pointer, "schema.name", f"{name}: {fault}")


def _name_fault(sources: Sources, part: Part, name: str) -> str | None:
    said = facts(sources, part.file, part.node)
    integer, ends = "integer" in said.types, name.rpartition("_")[2]
    period = ends in ("from", "until")
    if _SNAKE.fullmatch(name) is None:
        return "not snake_case"
    if integer and MONEY.search(name) and ends != "fen":
        return "money ends in _fen"
    if ends == "fen" and not integer:
        return "_fen is an integer"
    # `time` is CloudEvents' own word; `as_of` is the moment that a computed answer holds for.
    if "date-time" in said.formats and not (ends == "at" or period or name in ("time", "as_of")):
        return "an instant ends in _at"
    if "date" in said.formats and not (ends in ("on", "date") or period):
        return "a day ends in _on"
    if ends == "at" and "date-time" not in said.formats:
        return "_at is an instant"
    if ends == "on" and "_" in name and "date" not in said.formats:
        return "_on is a day"
    return None


def _identity(file: str, node: Any) -> Iterator[Finding]:
    name = file.rpartition("/")[2]
    if node.get("$schema") != DIALECT or node.get("$id") != SCHEMA_BASE + name:
        yield Finding(file, (), "schema.id", f"$schema and $id must be {DIALECT} and {SCHEMA_BASE}{name}")
