"""Shapes: every member holds what it can hold (a text, a list, an object), so that the other rules can read it.

The check is a JSON Schema made from the table of OpenAPI objects in `keywords`; inline schemas are held against the
metaschema of draft 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.keywords import KINDS, SHARED, Kind
from offcampus_spec.lint.sources import Sources

Json = dict[str, Any]
TEXT: Json = {"type": "string", "minLength": 1}
TEXTS: Json = {"type": "array", "items": TEXT}
FLAG: Json = {"type": "boolean"}
PLAIN: Json = {
    "tags": TEXTS,
    "x-requirements": TEXTS,
    "x-item-problems": TEXTS,
    "security": {"type": "array", "items": {"type": "object", "additionalProperties": TEXTS}},
    "scopes": {"type": "object", "additionalProperties": TEXT},
    "required": FLAG,
    "explode": FLAG,
    "x-signed": {},
    "x-batch": {},
    "value": {},
    "example": {},
}
"""Members that hold plain values; any other holds a text."""
_ENTRY: Json = {"type": "object", "required": ["id"], "properties": {"id": TEXT}}
REQUIREMENTS: Json = {
    "type": "object",
    "required": ["requirements"],
    "properties": {"requirements": {"type": "array", "items": _ENTRY}},
}
CODE_LIST: Json = {"type": "object", "properties": {"closed": FLAG}}


def check(sources: Sources) -> Iterator[Finding]:
    """Every file whose content has another shape than its kind asks for."""
    for file, node in sources.files.items():
        validator = _validator(_kind(file))
        for error in validator.iter_errors(node) if validator else ():
            place = tuple(str(step) for step in error.instance_path)
            rule = "schema.meta" if file.startswith("schemas/") or "schema" in place else "file.shape"
            yield Finding(file, place, rule, error.message[:200])


def _kind(file: str) -> str | None:
    folder, _, name = file.rpartition("/")
    if folder == "openapi/components":
        return SHARED.get(name.removesuffix(".yaml"))
    if folder.startswith("codelists"):
        return "code list"
    return {"openapi": "document", "schemas": "schema", "requirements": "requirements"}.get(folder)


@cache
def _validator(kind: str | None) -> jsonschema_rs.Draft202012Validator | None:
    if kind is None:
        return None
    whole: Json = {"requirements": REQUIREMENTS, "code list": CODE_LIST}.get(kind) or {"$ref": f"#/$defs/{kind}"}
    if kind in SHARED.values():
        whole = {"type": "object", "additionalProperties": whole}
    return jsonschema_rs.Draft202012Validator({**whole, "$defs": _definitions()})


def _definitions() -> Json:
    metaschema = {"type": "object", "$ref": "https://json-schema.org/draft/2020-12/schema"}
    return {"schema": metaschema, **{name: _definition(kind) for name, kind in KINDS.items()}}


def _definition(kind: Kind) -> Json:
    members = {name: _member(name, held) for name, held in kind.members.items()}
    return {"type": "object", "properties": {**members, "$ref": TEXT}}


def _member(name: str, held: str | None) -> Json:
    if held is None:
        plain: Json = PLAIN.get(name, TEXT)
        return plain
    inner = {"$ref": f"#/$defs/{held.strip('[]{}')}"}
    if held.startswith("["):
        return {"type": "array", "items": inner}
    return {"type": "object", "additionalProperties": inner} if held.startswith("{") else inner
