"""Examples and defaults: each fits its schema, and a problem says what the catalogue says."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import jsonschema_rs

from offcampus_spec import SCHEMA_BASE
from offcampus_spec.formats import FORMATS
from offcampus_spec.lint.answers import PROBLEM_TYPE
from offcampus_spec.lint.dialect import DIALECT
from offcampus_spec.lint.finding import Finding, Pointer
from offcampus_spec.lint.keywords import objects
from offcampus_spec.lint.sources import Sources
from offcampus_spec.lint.subschemas import parts

Json = dict[str, Any]


class Validators:
    """Compiled validators over schemas by file."""

    def __init__(self, schemas: Json) -> None:
        found = [_named(file, node) for file, node in schemas.items() if isinstance(node, dict)]
        # What leads nowhere has a finding of its own; here it must only not stop the others.
        self._registry = jsonschema_rs.Registry(found, retriever=lambda address: {})
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def faults(self, file: str, schema: Json, value: Any) -> list[str]:
        """Why a value does not fit a schema that stands in `file`; at most three reasons."""
        named = _by_id(file, schema)
        key = repr(named)
        if key not in self._compiled:
            try:
                self._compiled[key] = jsonschema_rs.Draft202012Validator(
                    named, registry=self._registry, formats=dict(FORMATS), validate_formats=True
                )
            except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
                return []  # the schema has a finding of its own
        errors = self._compiled[key].iter_errors(value)
        return [f"/{'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in errors][:3]


@lru_cache(maxsize=2)
def _validators(schemas: str) -> Validators:
    # Compiling takes longer than all rules together; whoever judges many copies has most schemas in common.
    return Validators(json.loads(schemas))


def check(sources: Sources) -> Iterator[Finding]:
    """Examples of bodies and answers, of headers and parameters, of schemas; defaults; problems."""
    validators = _validators(json.dumps(sources.schemas()))
    seen: set[tuple[str, str, str]] = set()
    for file, pointer, kind, node in objects(sources):
        if kind == "media":
            yield from _media(sources, validators, file, pointer, node, seen)
        elif kind in ("header", "parameter") and "example" in node:
            for reason in validators.faults(file, node["schema"], node["example"]):
                yield Finding(file, (*pointer, "example"), "example.invalid", reason)
    yield from _of_schemas(sources, validators)
    yield from _problems(sources)


def _media(
    sources: Sources, validators: Validators, file: str, pointer: Pointer, node: Json, seen: set[tuple[str, str, str]]
) -> Iterator[Finding]:
    examples = node.get("examples", {})
    if not examples:
        yield Finding(file, pointer, "example.missing", "no example")
    for name in examples:
        try:
            where, place, value = _value(sources, file, (*pointer, "examples", name))
        except KeyError:
            continue
        schema = node.get("schema", {})
        # One shared example stands in hundreds of answers: judge it once per schema.
        key = (where, "/".join(place), repr(_by_id(file, schema)))
        if key in seen:
            continue
        seen.add(key)
        for reason in _faults(sources, validators, file, schema, value):
            yield Finding(file, (*pointer, "examples", name), "example.invalid", reason)


def _value(sources: Sources, file: str, pointer: Pointer) -> tuple[str, Pointer, Any]:
    file, pointer, node = sources.follow(file, pointer)
    if "externalValue" in node:
        file, pointer = sources.target(file, node["externalValue"])
        return file, pointer, sources.find(file, pointer)
    return file, (*pointer, "value"), node["value"]


def _faults(sources: Sources, validators: Validators, file: str, schema: Json, value: Any) -> Iterator[str]:
    yield from validators.faults(file, schema, value)
    if "x-patch-of" in schema:
        yield from _patch_faults(sources, validators, schema["x-patch-of"], value)
        return
    target, items = _items_schema(sources, file, schema)
    listed = value.get("items") if isinstance(value, dict) else None
    if items is not None and isinstance(listed, list):
        for index, item in enumerate(listed):
            for reason in validators.faults(target, {"$ref": items}, item):
                yield f"/items/{index}{reason}"


def _patch_faults(sources: Sources, validators: Validators, name: str, patch: Json) -> Iterator[str]:
    """What a patch leads to, applied to the typical example, must fit too."""
    base = sources.files.get(f"examples/{name}/valid/typical.json")
    if base is not None:
        result = merged(copy.deepcopy(base), patch)
        yield from validators.faults(f"schemas/{name}.json", {"$ref": f"{name}.json"}, result)


def merged(target: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _items_schema(sources: Sources, file: str, schema: Json) -> tuple[str, str | None]:
    """Of a batch: where its schema stands, and the address of the schema of one item."""
    target = sources.referred(file, schema)
    if target is None:
        return file, None
    items = target[2].get("properties", {}).get("items", {})
    return target[0], items.get("x-item-schema") if isinstance(items, dict) else None


def _of_schemas(sources: Sources, validators: Validators) -> Iterator[Finding]:
    for part in parts(sources):
        bare = {key: value for key, value in part.node.items() if key not in ("default", "examples", "$id", "$schema")}
        if "default" in part.node:
            for reason in validators.faults(part.file, bare, part.node["default"]):
                yield Finding(part.file, (*part.pointer, "default"), "default.invalid", reason)
        for index, value in enumerate(part.node.get("examples", [])):
            for reason in validators.faults(part.file, bare, value):
                yield Finding(part.file, (*part.pointer, "examples", str(index)), "example.invalid", reason)


def _problems(sources: Sources) -> Iterator[Finding]:
    catalogue = {row["code"]: row for row in sources.tables.get("problems", [])}
    for file, pointer, kind, node in objects(sources):
        if kind != "media" or pointer[-1] != PROBLEM_TYPE:
            continue
        for name in node.get("examples", {}):
            try:
                where, place, value = _value(sources, file, (*pointer, "examples", name))
            except KeyError:
                continue
            row = catalogue.get(name)
            if row is not None and (told := _told(value)) != (meant := _meant(row)):
                differing = [key for key in meant if told[key] != meant[key]]
                message = f"{name} differs from the catalogue in {', '.join(differing)}"
                yield Finding(where, place, "example.problem", message)
            for code in _violated(value):
                if code not in catalogue and not code.startswith("schema."):
                    yield Finding(where, place, "example.problem", f"the catalogue has no {code}")


def _told(value: Any) -> Json:
    told = value if isinstance(value, dict) else {}
    retry = told.get("retry")
    names = ("code", "status", "title", "remedy")
    return {**{name: told.get(name) for name in names}, "safe": retry.get("safe") if isinstance(retry, dict) else None}


def _violated(value: Any) -> list[str]:
    entries = value.get("violations") if isinstance(value, dict) else None
    listed = entries if isinstance(entries, list) else []
    return [str(entry.get("code")) for entry in listed if isinstance(entry, dict)]


def _meant(row: dict[str, str]) -> Json:
    return {
        "code": row["code"], "status": int(row["status"]), "title": row["title_en"], "remedy": row["remedy_en"],
        "safe": row["retry_safe"] == "true",
    }  # fmt: skip


def _named(file: str, node: Json) -> tuple[str, Json]:
    address = SCHEMA_BASE + PurePosixPath(file).name
    return address, {**node, "$id": address, "$schema": DIALECT}


def _by_id(file: str, node: Any) -> Any:
    """References to files as references by `$id`, so that a schema may be compiled away from its file."""
    if isinstance(node, list):
        return [_by_id(file, item) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _by_id(file, value) for key, value in node.items()}
    if isinstance(moved.get("$ref"), str):
        address, mark, fragment = moved["$ref"].partition("#")
        name = PurePosixPath(address or file).name
        moved["$ref"] = f"{SCHEMA_BASE}{name}{mark}{fragment}"
    return moved
