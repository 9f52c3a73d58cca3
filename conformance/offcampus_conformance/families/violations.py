"""One lawful document, and beside it one document per constraint of its schema that breaks just this constraint.

The schema says what to try; the compiled validator, which is the standard's meaning, says what was broken: only
documents that break one constraint at one place are kept. Pure.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from offcampus_spec import schemas

Node = Mapping[str, Any]
GONE = object()
OF_TYPES: tuple[tuple[str, Any], ...] = (
    ("string", "zz"), ("integer", 7), ("array", []), ("object", {}), ("boolean", True), ("null", None),
)  # fmt: skip
FORMAT_TRIES = ("zz", "2026-02-30", "2026-01-01T08:00:00", "2026-13-01T08:00:00+08:00", "http://", "99")
COUNTED = (
    "type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
    "uniqueItems", "minProperties",
)  # fmt: skip
LONGEST = 5000
"""Longer texts and lists are not tried: they would break the limit of the body, not that of the member."""


@dataclass(frozen=True)
class Violation:
    """A document that breaks one constraint."""

    keyword: str
    pointer: str
    document: Any

    @property
    def name(self) -> str:
        """A label that is the same in every run."""
        return f"{self.keyword}:{self.pointer}"


def violations(schema: str | schemas.Schema, document: Any) -> list[Violation]:
    """Every constraint of the schema (by name, or itself) that can be broken alone, from this lawful document on."""
    validator = schemas.validator(schema) if isinstance(schema, str) else schemas.compile_schema(schema)
    start = (schemas.load(schema), schema) if isinstance(schema, str) else (schema, "")
    if not validator.is_valid(document):
        raise ValueError(f"the document to start from is no {schema}: {next(validator.iter_errors(document)).message}")
    found: dict[str, Violation] = {}
    for place, keyword, value in _tries(start, document, ()):
        spoilt = _with(document, place, value)
        told = {(_keyword(error), _pointer(error)) for error in validator.iter_errors(spoilt)}
        if len(told) == 1 and (only := next(iter(told)))[0] == keyword:
            violation = Violation(keyword, only[1], spoilt)
            found.setdefault(violation.name, violation)
    return list(found.values())


def _tries(node: tuple[Node, str], value: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Where, which keyword is meant to break, and what to put there."""
    applied = list(_applied(*node))
    for schema, base in applied:
        yield from ((place, keyword, bad) for keyword, bad in _bad_values(schema, value))
        if isinstance(value, dict):
            yield from _tries_inside(schema, base, value, place)
    if isinstance(value, list) and value:
        items = [(schema["items"], base) for schema, base in applied if isinstance(schema.get("items"), dict)]
        for item in items:
            yield from _tries(item, value[0], (*place, 0))


def _tries_inside(schema: Node, base: str, value: Mapping[str, Any], place: tuple[Any, ...]) -> Iterator[Any]:
    for name in schema.get("required", []):
        yield (*place, name), "required", GONE
    if schema.get("unevaluatedProperties") is False or schema.get("additionalProperties") is False:
        keyword = "unevaluatedProperties" if "unevaluatedProperties" in schema else "additionalProperties"
        yield (*place, "zz"), keyword, 1
    for name, member in schema.get("properties", {}).items():
        yield from _tries((member, base), value.get(name, GONE), (*place, name))


def _bad_values(schema: Node, value: Any) -> Iterator[tuple[str, Any]]:
    text = value if isinstance(value, str) else "zz"
    for name, other in OF_TYPES:
        if "type" in schema and name not in (schema["type"] if isinstance(schema["type"], list) else [schema["type"]]):
            yield "type", other
    if "enum" in schema:
        yield "enum", "zz_unknown"
    if "const" in schema:
        yield "const", "zz_unknown" if isinstance(schema["const"], str) else None
    if "pattern" in schema:
        yield from (("pattern", bad) for bad in ("!", text + "!", text[:-1] + "!", "zz", text[:-1] + "．"))
    if "format" in schema:
        yield from (("format", bad) for bad in (*FORMAT_TRIES, *_nearly(text)))
    yield from _beyond_limits(schema, value, text)


def _beyond_limits(schema: Node, value: Any, text: str) -> Iterator[tuple[str, Any]]:
    if schema.get("minLength", 0) > 0:
        yield "minLength", text[: schema["minLength"] - 1]
    if schema.get("maxLength", LONGEST) < LONGEST:
        missing = schema["maxLength"] + 1 - len(text)
        yield "maxLength", text + text[-1:] * missing
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema and schema["maximum"] < 2**53 - 1:
        yield "maximum", schema["maximum"] + 1
    items = value if isinstance(value, list) else []
    if schema.get("minItems", 0) > 0:
        yield "minItems", items[: schema["minItems"] - 1]
    if items and schema.get("maxItems", LONGEST) < LONGEST:
        yield "maxItems", [_numbered(items[0], number) for number in range(schema["maxItems"] + 1)]
    if items and schema.get("uniqueItems"):
        yield "uniqueItems", [items[0], items[0]]
    if schema.get("minProperties", 0) > 0:
        yield "minProperties", {}


def _nearly(text: str) -> Iterator[str]:
    """The same text with one character changed, for check digits."""
    for place in (-1, 0):
        if text:
            at = len(text) + place if place < 0 else place
            for other in ("0", "1", "x"):
                yield text[:at] + other + text[at + 1 :]


def _numbered(item: Any, number: int) -> Any:
    """Another item of the same kind, so that a long list breaks its length and not its uniqueness."""
    if isinstance(item, dict) and "external_id" in item:
        return {**item, "external_id": f"{item['external_id']}-{number}"}
    return item


def _applied(schema: Node, base: str) -> Iterator[tuple[Node, str]]:
    """A schema and those that it applies to the same place: references, allOf, the ways of anyOf."""
    yield schema, base
    if "$ref" in schema:
        yield from _applied(*_resolved(schema["$ref"], base))
    for way in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _applied(way, base)
    for branch in ("then", "else"):
        if isinstance(schema.get(branch), dict):
            yield from _applied(schema[branch], base)


@cache
def _found(name: str, inside: str) -> Node:
    node: Any = schemas.load(name)
    for step in inside.split("/")[1:]:
        node = node[step]
    found: Node = node
    return found


def _resolved(reference: str, base: str) -> tuple[Node, str]:
    file, _, inside = reference.partition("#")
    name = PurePosixPath(file).stem or base
    return _found(name, inside), name


def _with(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    if value is GONE:
        inner.pop(place[-1], None)
    else:
        inner[place[-1]] = value
    return changed


def _keyword(error: Any) -> str:
    return str(error.schema_path[-1]) if error.schema_path else str(error.kind.name)


def _pointer(error: Any) -> str:
    place = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
    kind = error.kind
    if hasattr(kind, "property"):
        return f"{place}/{kind.property}"
    if hasattr(kind, "unexpected"):
        return f"{place}/{','.join(sorted(kind.unexpected))}"
    return place or "/"


def constraints(schema: str) -> frozenset[tuple[str, str]]:
    """Every constraint of a schema: its keyword and the place that it is about, `*` for each item of a list."""
    return frozenset(_constraints((schemas.load(schema), schema), "", ()))


def _constraints(node: tuple[Node, str], place: str, above: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    for applied, base in _applied(*node):
        if (id(applied), place) in above:
            continue
        yield from ((keyword, place or "/") for keyword in COUNTED if keyword in applied)
        yield from (("required", f"{place}/{name}") for name in applied.get("required", ()))
        if applied.get("unevaluatedProperties") is False or applied.get("additionalProperties") is False:
            yield "closed", place or "/"
        below = (*above, (id(applied), place))
        for name, member in applied.get("properties", {}).items():
            yield from _constraints((member, base), f"{place}/{name}", below)
        if isinstance(applied.get("items"), dict):
            yield from _constraints((applied["items"], base), f"{place}/*", below)


def subsumed(schema: str, document: Any) -> frozenset[tuple[str, str]]:
    """Constraints that cannot be broken alone: whatever breaks them breaks another one too, which would refuse it.

    A platform that forgot one of them would behave as before: nothing can tell it apart.
    """
    validator = schemas.validator(schema)
    together: set[tuple[str, str]] = set()
    alone: set[tuple[str, str]] = set()
    for place, _, value in _tries((schemas.load(schema), schema), document, ()):
        errors = list(validator.iter_errors(_with(document, place, value)))
        told = {constraint_of(_keyword(error), _pointer(error)) for error in errors}
        (alone if len(told) == 1 else together).update(told)
    return frozenset(together - alone)


def constraint_of(keyword: str, pointer: str) -> tuple[str, str]:
    """What a probe breaks, in the words of `constraints`."""
    place = re.sub(r"/[0-9]+(?=/|$)", "/*", pointer)
    if keyword in ("unevaluatedProperties", "additionalProperties"):
        return "closed", place.rpartition("/")[0] or "/"
    return keyword, place


def patch_between(before: Any, after: Any) -> dict[str, Any]:
    """The JSON Merge Patch (RFC 7396) that leads from one object to another."""
    changed: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name in before and json.dumps(before[name]) == json.dumps(value):
            continue
        nested = isinstance(value, dict) and isinstance(before.get(name), dict)
        changed[name] = patch_between(before[name], value) if nested else value
    return changed
